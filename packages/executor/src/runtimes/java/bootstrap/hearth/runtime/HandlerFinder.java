package hearth.runtime;

import hearth.runtime.json.Types;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Finds the method that a handler's name means: {@code package.Class} or {@code package.Class::method}. */
final class HandlerFinder {
  private final FunctionLoader loader;
  private final Core core;

  HandlerFinder(FunctionLoader loader, Core core) {
    this.loader = loader;
    this.core = core;
  }

  /** Loads the class, runs its initialiser and constructor. @throws Fault with what the caller is to be told */
  Handler find(String handler) throws Fault {
    int colons = handler.lastIndexOf("::");
    String className = colons < 0 ? handler : handler.substring(0, colons);
    if (className.isEmpty() || colons >= 0 && colons + 2 == handler.length()) {
      throw new Fault("Invalid handler: `" + handler + "'", IllegalArgumentException.class.getName(), null);
    }
    Class<?> type = load(className);
    try {
      return colons < 0 ? ofInterface(type) : ofMethod(type, handler.substring(colons + 2));
    } catch (LinkageError e) {
      throw loading(className, e);
    }
  }

  private Class<?> load(String className) throws Fault {
    try {
      return Class.forName(className, true, loader);
    } catch (ClassNotFoundException e) {
      throw Fault.of("Class not found: " + className, e);
    } catch (Throwable e) {
      throw loading(className, e);
    }
  }

  private static Fault loading(String className, Throwable thrown) {
    String message = thrown.getMessage() == null ? "" : ": " + thrown.getMessage();
    return Fault.of("Error loading class " + className + message, thrown);
  }

  private Handler ofInterface(Class<?> type) throws Fault {
    try {
      if (core.requestStreamHandler.isAssignableFrom(type)) {
        Method method = core.requestStreamHandler.getMethod("handleRequest", InputStream.class, OutputStream.class, core.context);
        return Handler.ofStreams(method, newInstance(type), true, true, true);
      }
      if (core.requestHandler.isAssignableFrom(type)) {
        Method method = core.requestHandler.getMethod("handleRequest", Object.class, core.context);
        Type input = concrete(type, 0);
        Type output = concrete(type, 1);
        return Handler.ofValues(method, newInstance(type), input, true, Types.rawOf(output) != Void.class);
      }
    } catch (NoSuchMethodException e) {
      throw Fault.of("The interface that " + type.getName() + " implements is not Lambda's", e);
    }
    throw new Fault("Class does not implement an appropriate handler interface: " + type.getName(),
        ClassCastException.class.getName(), null);
  }

  private Type concrete(Class<?> type, int parameter) throws Fault {
    Type argument = Types.argumentOf(type, core.requestHandler, parameter);
    boolean isOpen = argument instanceof TypeVariable && Types.rawOf(argument) == Object.class;
    if (!isOpen) return argument;
    throw new Fault("Class " + type.getName() + " does not implement RequestHandler with concrete type parameters",
        ClassCastException.class.getName(), null);
  }

  private Handler ofMethod(Class<?> type, String name) throws Fault {
    List<Method> methods = new ArrayList<>();
    for (Method method : type.getMethods()) if (method.getName().equals(name)) methods.add(method);
    methods.sort(this::compare);
    for (Method method : methods) {
      Handler handler = ofSignature(type, method);
      if (handler != null) return handler;
    }
    throw new Fault("No public method named " + name + " with appropriate method signature found on class " + type.getName(),
        NoSuchMethodException.class.getName(), null);
  }

  /** Lambda prefers more parameters, and counts a context at the end twice. */
  private int compare(Method a, Method b) {
    if (a.isBridge() != b.isBridge()) return a.isBridge() ? 1 : -1;
    if (weight(a) != weight(b)) return weight(b) - weight(a);
    // So that the choice is always the same.
    return Arrays.toString(a.getParameterTypes()).compareTo(Arrays.toString(b.getParameterTypes()));
  }

  private int weight(Method method) {
    int count = method.getParameterCount();
    return count > 0 && method.getParameterTypes()[count - 1] == core.context ? count + 1 : count;
  }

  /** @return null when no handler has parameters like these */
  private Handler ofSignature(Class<?> type, Method method) throws Fault {
    Class<?>[] parameters = method.getParameterTypes();
    int count = parameters.length;
    boolean takesContext = count > 0 && parameters[count - 1] == core.context;
    if (takesContext) count--;
    boolean reads = count > 0 && parameters[0] == InputStream.class;
    boolean writes = count > 0 && parameters[count - 1] == OutputStream.class;
    int streams = (reads ? 1 : 0) + (writes ? 1 : 0);
    if (count > 1 && streams < 2 || count > 2 || count > 0 && parameters[0] == core.context) return null;
    Object instance = Modifier.isStatic(method.getModifiers()) ? null : newInstance(type);
    if (!Modifier.isPublic(method.getDeclaringClass().getModifiers())) method.setAccessible(true);
    if (streams > 0) return Handler.ofStreams(method, instance, reads, writes, takesContext);
    Type input = count == 0 ? null : Types.resolvedIn(type, method.getGenericParameterTypes()[0]);
    Class<?> output = method.getReturnType();
    return Handler.ofValues(method, instance, input, takesContext, output != void.class && output != Void.class);
  }

  private static Object newInstance(Class<?> type) throws Fault {
    Constructor<?> constructor;
    try {
      constructor = type.getConstructor();
    } catch (NoSuchMethodException e) {
      boolean isInner = type.getEnclosingClass() != null && !Modifier.isStatic(type.getModifiers());
      String reason = isInner ? " cannot be instantiated because it is a non-static inner class" : " has no public zero-argument constructor";
      throw new Fault("Class " + type.getName() + reason, Exception.class.getName(), e);
    }
    try {
      constructor.setAccessible(true);
      return constructor.newInstance();
    } catch (InvocationTargetException e) {
      Throwable cause = e.getCause();
      throw Fault.of(cause.getLocalizedMessage() == null ? cause.getClass().getName() : cause.getLocalizedMessage(), cause);
    } catch (ReflectiveOperationException e) {
      throw Fault.of("Class " + type.getName() + " cannot be instantiated: " + e, e);
    }
  }
}
