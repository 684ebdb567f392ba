package hearth.runtime.json;

import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What of a class is written as JSON: its public getters and public fields, or a record's components. */
final class Getters {
  private static final ClassValue<Collection<Getter>> OF_CLASS = new ClassValue<Collection<Getter>>() {
    @Override
    protected Collection<Getter> computeValue(Class<?> type) {
      return find(type);
    }
  };

  private Getters() {}

  static Collection<Getter> of(Class<?> type) {
    return OF_CLASS.get(type);
  }

  /** One property. */
  static final class Getter {
    final String name;
    private final Method method;
    private final Field field;

    Getter(String name, Method method, Field field) {
      this.name = name;
      this.method = method;
      this.field = field;
    }

    Object get(Object bean) throws InvocationTargetException, IllegalAccessException {
      return method != null ? method.invoke(bean) : field.get(bean);
    }
  }

  /** In the order of the fields, which is that of the source; then those without a field, by name. */
  private static Collection<Getter> find(Class<?> type) {
    List<Records.Component> components = Records.componentsOf(type);
    if (components != null) {
      List<Getter> getters = new ArrayList<>();
      for (Records.Component component : components) {
        if (Names.open(component.accessor)) getters.add(new Getter(component.name, component.accessor, null));
      }
      return getters;
    }
    Map<String, Method> methods = methods(type);
    Map<String, Getter> getters = new LinkedHashMap<>();
    for (Field field : fields(type)) {
      String name = field.getName();
      Method method = methods.remove(name);
      if (method != null) getters.put(name, new Getter(name, method, null));
      else if (isPublic(field) && Names.open(field)) getters.put(name, new Getter(name, null, field));
    }
    for (Map.Entry<String, Method> method : methods.entrySet()) {
      getters.put(method.getKey(), new Getter(method.getKey(), method.getValue(), null));
    }
    return getters.values();
  }

  private static Map<String, Method> methods(Class<?> type) {
    Map<String, Method> methods = new TreeMap<>();
    for (Method method : type.getMethods()) {
      if (method.getParameterCount() != 0 || !Names.isBeanMethod(method)) continue;
      Class<?> result = method.getReturnType();
      String name = result == void.class ? null : Names.property(method, "get");
      if (name == null && (result == boolean.class || result == Boolean.class)) name = Names.property(method, "is");
      if (name != null && Names.open(method)) methods.put(name, method);
    }
    return methods;
  }

  /** Of the class and those above it, the highest first. */
  static List<Field> fields(Class<?> type) {
    List<Field> fields = type.getSuperclass() == null ? new ArrayList<Field>() : fields(type.getSuperclass());
    for (Field field : type.getDeclaredFields()) if (Names.isInstanceField(field)) fields.add(field);
    return fields;
  }

  private static boolean isPublic(Field field) {
    return Modifier.isPublic(field.getModifiers()) && !Modifier.isTransient(field.getModifiers());
  }
}
