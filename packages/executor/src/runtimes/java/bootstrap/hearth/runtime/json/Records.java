package hearth.runtime.json;

import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;

/** Records, on JVMs that have them: reached by reflection, since this is compiled for Java 8. */
final class Records {
  private static final Method IS_RECORD = method(Class.class, "isRecord");
  private static final Method COMPONENTS = method(Class.class, "getRecordComponents");

  private Records() {}

  static final class Component {
    final String name;
    final Class<?> rawType;
    final Type type;
    final Method accessor;

    Component(Object component) throws ReflectiveOperationException {
      name = (String) ask(component, "getName");
      rawType = (Class<?>) ask(component, "getType");
      type = (Type) ask(component, "getGenericType");
      accessor = (Method) ask(component, "getAccessor");
    }

    private static Object ask(Object component, String what) throws ReflectiveOperationException {
      return component.getClass().getMethod(what).invoke(component);
    }
  }

  /** @return null when the class is no record */
  static List<Component> componentsOf(Class<?> type) {
    try {
      if (IS_RECORD == null || COMPONENTS == null || !(Boolean) IS_RECORD.invoke(type)) return null;
      List<Component> components = new ArrayList<>();
      for (Object component : (Object[]) COMPONENTS.invoke(type)) components.add(new Component(component));
      return components;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  static Constructor<?> constructorOf(Class<?> type, List<Component> components) {
    Class<?>[] types = new Class<?>[components.size()];
    for (int i = 0; i < types.length; i++) types[i] = components.get(i).rawType;
    try {
      return type.getDeclaredConstructor(types);
    } catch (NoSuchMethodException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Method method(Class<?> of, String name) {
    try {
      return of.getMethod(name);
    } catch (NoSuchMethodException e) {
      return null;
    }
  }
}
