package hearth.runtime.json;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How an object of a class is made from a JSON object: by its constructor without parameters and its setters or
 * fields; a record, and a class whose one constructor takes all of its fields, by that constructor.
 */
final class BeanType {
  /** Where AWS's own event classes live: their JSON often writes names in another case. */
  private static final String AWS_EVENTS = "com.amazonaws.services.lambda.runtime.events.";

  final Class<?> raw;
  final boolean isAwsEvent;
  /** By the name in JSON. */
  private final Map<String, Property> properties = new HashMap<>();
  private final Map<String, Property> ignoringCase = new HashMap<>();
  private final Constructor<?> constructor;
  /** What the constructor takes; empty when properties are set one by one. */
  final List<Property> parameters = new ArrayList<>();

  /** Something that can be set: by a setter, in a field, or, when it has neither, as a parameter. */
  static final class Property {
    final String name;
    final Type type;
    private final Method setter;
    private final Field field;

    Property(String name, Type type, Method setter, Field field) {
      this.name = name;
      this.type = type;
      this.setter = setter;
      this.field = field;
    }

    void set(Object bean, Object value) throws InvocationTargetException, IllegalAccessException {
      if (setter != null) setter.invoke(bean, value);
      else field.set(bean, value);
    }
  }

  BeanType(Type type) throws JsonException {
    raw = Types.rawOf(type);
    isAwsEvent = raw.getName().startsWith(AWS_EVENTS);
    if (raw.isInterface() || Modifier.isAbstract(raw.getModifiers())) {
      throw new JsonException("Cannot make an instance of " + raw.getTypeName() + ": it is abstract");
    }
    Map<TypeVariable<?>, Type> variables = Types.variablesOf(type);
    List<Records.Component> components = Records.componentsOf(raw);
    Constructor<?> found;
    if (components != null) {
      found = Records.constructorOf(raw, components);
      for (Records.Component component : components) {
        parameters.add(new Property(component.name, Types.resolve(component.type, variables), null, null));
      }
    } else {
      found = withoutParameters();
      if (found == null) found = withAllFields(variables);
      else findProperties(variables);
    }
    if (found == null || !Names.open(found)) {
      throw new JsonException("Cannot make an instance of " + raw.getTypeName() + ": it has no constructor without parameters");
    }
    constructor = found;
    for (Property parameter : parameters) properties.put(parameter.name, parameter);
    for (Property property : properties.values()) ignoringCase.put(property.name.toLowerCase(Locale.ROOT), property);
  }

  /** @return null when the class has no such property */
  Property property(String name) {
    Property property = properties.get(name);
    return property != null || !isAwsEvent ? property : ignoringCase.get(name.toLowerCase(Locale.ROOT));
  }

  Object make(Object... arguments) throws JsonException {
    try {
      return constructor.newInstance(arguments);
    } catch (InvocationTargetException e) {
      throw new JsonException("The constructor of " + raw.getTypeName() + " failed: " + e.getCause(), e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new JsonException("Cannot make an instance of " + raw.getTypeName() + ": " + e.getMessage(), e);
    }
  }

  private Constructor<?> withoutParameters() {
    try {
      return raw.getDeclaredConstructor();
    } catch (NoSuchMethodException e) {
      return null;
    }
  }

  /** Names of parameters are not kept by the compiler; but where they are all the fields, in order, those tell. */
  private Constructor<?> withAllFields(Map<TypeVariable<?>, Type> variables) {
    List<Field> fields = Getters.fields(raw);
    for (Constructor<?> candidate : raw.getConstructors()) {
      Class<?>[] types = candidate.getParameterTypes();
      boolean fits = types.length == fields.size();
      for (int i = 0; fits && i < types.length; i++) fits = types[i] == fields.get(i).getType();
      if (!fits) continue;
      for (Field field : fields) {
        parameters.add(new Property(field.getName(), Types.resolve(field.getGenericType(), variables), null, null));
      }
      return candidate;
    }
    return null;
  }

  private void findProperties(Map<TypeVariable<?>, Type> variables) {
    Map<String, Class<?>> readable = new HashMap<>();
    for (Method method : raw.getMethods()) {
      if (method.getParameterCount() != 0 || !Names.isBeanMethod(method)) continue;
      String name = Names.property(method, "get");
      if (name == null) name = Names.property(method, "is");
      if (name != null) readable.put(name, method.getReturnType());
    }
    for (Field field : Getters.fields(raw)) {
      // A getter tells that the name is meant for JSON, even where only the class itself can set it.
      boolean isMeant = Modifier.isPublic(field.getModifiers()) || readable.containsKey(field.getName());
      if (isMeant && Names.open(field)) put(field.getName(), field.getGenericType(), null, field, variables);
    }
    Map<String, Method> setters = new HashMap<>();
    for (Method method : raw.getMethods()) {
      if (method.getParameterCount() != 1 || !Names.isBeanMethod(method)) continue;
      String name = Names.property(method, "set");
      if (name != null && Names.open(method)) setters.merge(name, method, (a, b) -> better(a, b, readable.get(name)));
    }
    for (Map.Entry<String, Method> setter : setters.entrySet()) {
      put(setter.getKey(), setter.getValue().getGenericParameterTypes()[0], setter.getValue(), null, variables);
    }
  }

  private void put(String name, Type type, Method setter, Field field, Map<TypeVariable<?>, Type> variables) {
    properties.put(name, new Property(name, Types.resolve(type, variables), setter, field));
  }

  /** Of two setters with the same name: the one that takes what the getter gives; or else always the same one. */
  private static Method better(Method a, Method b, Class<?> readAs) {
    Class<?> typeA = a.getParameterTypes()[0];
    Class<?> typeB = b.getParameterTypes()[0];
    if (typeA == readAs || typeB == readAs) return typeA == readAs ? a : b;
    return typeA.getName().compareTo(typeB.getName()) < 0 ? a : b;
  }
}
