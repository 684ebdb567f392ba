package hearth.runtime.json;

import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Calendar;
import java.util.Collection;
import java.util.Collections;
import java.util.Date;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Turns JSON into values of Java types: what it lacks stays as it is, what nothing asks for is left out. As lenient as
 * Lambda's own: one value where a list is wanted and the other way round, an empty string where an object is wanted,
 * an enum's unknown constant as null. For one thread.
 */
public final class Binder {
  private final Map<Type, BeanType> beans = new HashMap<>();

  /** @throws JsonException when the JSON is not well-formed or does not fit {@code type} */
  public Object read(byte[] json, Type type) throws JsonException {
    Object value = JsonParser.parse(json, type != Object.class && type != Map.class && type != List.class);
    return bind(value, type);
  }

  private Object bind(Object json, Type type) throws JsonException {
    Class<?> raw = Types.rawOf(type);
    if (json == null) return absent(raw);
    if (raw == Object.class) return natural(json);
    if (raw == String.class || raw == CharSequence.class) return text(json, raw);
    if (Conversions.isNumber(raw)) return isEmpty(json) ? absent(raw) : number(json, raw);
    if (raw == boolean.class || raw == Boolean.class) return isEmpty(json) ? absent(raw) : (Object) truth(json, raw);
    if (raw == AtomicBoolean.class) return new AtomicBoolean(truth(json, raw));
    if (raw == char.class || raw == Character.class) return character(json, raw);
    if (raw.isEnum()) return constant(json, raw);
    if (raw.isArray()) return array(json, type, raw);
    if (Collection.class.isAssignableFrom(raw) || raw == Iterable.class) return collection(json, type, raw);
    if (Map.class.isAssignableFrom(raw)) return map(json, type, raw);
    if (raw == Optional.class) return Optional.ofNullable(bind(json, argument(type, Optional.class, 0)));
    if (raw == ByteBuffer.class) return isEmpty(json) ? null : ByteBuffer.wrap(base64(json, raw));
    return object(json, type, raw);
  }

  private static Object absent(Class<?> raw) {
    if (raw.isPrimitive() && raw != void.class) return Array.get(Array.newInstance(raw, 1), 0);
    return raw == Optional.class ? Optional.empty() : null;
  }

  private static boolean isEmpty(Object json) {
    return json instanceof String && ((String) json).trim().isEmpty();
  }

  /** Where no type is asked for: as it was read, with fractions as Double. */
  private Object natural(Object json) {
    if (json instanceof List) {
      @SuppressWarnings("unchecked")
      List<Object> list = (List<Object>) json;
      for (int i = 0; i < list.size(); i++) list.set(i, natural(list.get(i)));
    } else if (json instanceof Map) {
      @SuppressWarnings("unchecked")
      Map<String, Object> map = (Map<String, Object>) json;
      for (Map.Entry<String, Object> entry : map.entrySet()) entry.setValue(natural(entry.getValue()));
    }
    return Conversions.natural(json);
  }

  private String text(Object json, Class<?> raw) throws JsonException {
    Object single = single(json);
    if (single instanceof Map || single instanceof List) throw misfit(json, raw);
    return single == null ? null : single.toString();
  }

  private static Number number(Object json, Class<?> raw) throws JsonException {
    Object single = single(json);
    if (!(single instanceof Number) && !(single instanceof String)) throw misfit(json, raw);
    return Conversions.number(single, raw);
  }

  private static boolean truth(Object json, Class<?> raw) throws JsonException {
    Object single = single(json);
    if (single instanceof Boolean) return (Boolean) single;
    if (single instanceof Number) return ((Number) single).doubleValue() != 0;
    if ("true".equals(single) || "True".equals(single) || "TRUE".equals(single)) return true;
    if ("false".equals(single) || "False".equals(single) || "FALSE".equals(single)) return false;
    throw misfit(json, raw);
  }

  private static Object character(Object json, Class<?> raw) throws JsonException {
    if (json instanceof Integer) return (char) (int) (Integer) json;
    if (json instanceof String && ((String) json).length() == 1) return ((String) json).charAt(0);
    if (isEmpty(json)) return absent(raw);
    throw misfit(json, raw);
  }

  private static Object constant(Object json, Class<?> raw) throws JsonException {
    Object[] constants = raw.getEnumConstants();
    if (json instanceof Integer) {
      int ordinal = (Integer) json;
      return ordinal >= 0 && ordinal < constants.length ? constants[ordinal] : null;
    }
    if (!(json instanceof String)) throw misfit(json, raw);
    for (Object constant : constants) if (((Enum<?>) constant).name().equals(json)) return constant;
    return null;
  }

  private Object array(Object json, Type type, Class<?> raw) throws JsonException {
    if (json instanceof String) {
      if (raw == byte[].class) return base64(json, raw);
      if (raw == char[].class) return ((String) json).toCharArray();
      if (isEmpty(json)) return null;
    }
    Type component = type instanceof GenericArrayType ? ((GenericArrayType) type).getGenericComponentType() : raw.getComponentType();
    List<?> elements = list(json);
    Object array = Array.newInstance(raw.getComponentType(), elements.size());
    for (int i = 0; i < elements.size(); i++) Array.set(array, i, element(elements, i, component));
    return array;
  }

  private Object collection(Object json, Type type, Class<?> raw) throws JsonException {
    if (isEmpty(json)) return null;
    Type component = argument(type, raw == Iterable.class ? Iterable.class : Collection.class, 0);
    Collection<Object> collection = newCollection(raw);
    List<?> elements = list(json);
    for (int i = 0; i < elements.size(); i++) collection.add(element(elements, i, component));
    return collection;
  }

  private Object element(List<?> elements, int index, Type type) throws JsonException {
    try {
      return bind(elements.get(index), type);
    } catch (JsonException e) {
      throw e.within("[" + index + "]");
    }
  }

  @SuppressWarnings("unchecked")
  private static Collection<Object> newCollection(Class<?> raw) throws JsonException {
    if (raw.isAssignableFrom(ArrayList.class)) return new ArrayList<>();
    if (raw.isAssignableFrom(LinkedHashSet.class)) return new LinkedHashSet<>();
    if (raw.isAssignableFrom(TreeSet.class)) return new TreeSet<>();
    if (raw.isAssignableFrom(LinkedList.class)) return new LinkedList<>();
    if (raw.isAssignableFrom(ArrayDeque.class)) return new ArrayDeque<>();
    return (Collection<Object>) newInstance(raw);
  }

  private Object map(Object json, Type type, Class<?> raw) throws JsonException {
    if (isEmpty(json)) return null;
    Object single = single(json);
    if (single == null) return null;
    if (!(single instanceof Map)) throw misfit(json, raw);
    Type keyType = argument(type, Map.class, 0);
    Type valueType = argument(type, Map.class, 1);
    Map<Object, Object> map = newMap(raw, keyType);
    for (Map.Entry<?, ?> entry : ((Map<?, ?>) single).entrySet()) {
      try {
        map.put(bind(entry.getKey(), keyType), bind(entry.getValue(), valueType));
      } catch (JsonException e) {
        throw e.within("." + entry.getKey());
      }
    }
    return map;
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static Map<Object, Object> newMap(Class<?> raw, Type keyType) throws JsonException {
    if (raw.isAssignableFrom(LinkedHashMap.class)) return new LinkedHashMap<>();
    if (raw.isAssignableFrom(TreeMap.class)) return new TreeMap<>();
    if (raw.isAssignableFrom(ConcurrentHashMap.class)) return new ConcurrentHashMap<>();
    if (raw.isAssignableFrom(ConcurrentSkipListMap.class)) return new ConcurrentSkipListMap<>();
    if (raw == EnumMap.class) return new EnumMap(Types.rawOf(keyType));
    return (Map<Object, Object>) newInstance(raw);
  }

  private static Object newInstance(Class<?> raw) throws JsonException {
    if (raw.isInterface() || Modifier.isAbstract(raw.getModifiers())) {
      throw new JsonException("Cannot make an instance of " + raw.getTypeName() + ": it is abstract");
    }
    try {
      Constructor<?> constructor = raw.getDeclaredConstructor();
      Names.open(constructor);
      return constructor.newInstance();
    } catch (ReflectiveOperationException e) {
      throw new JsonException("Cannot make an instance of " + raw.getTypeName() + ": " + e, e);
    }
  }

  private Object object(Object json, Type type, Class<?> raw) throws JsonException {
    if (raw == Date.class) return isEmpty(json) ? null : date(json, raw, false);
    if (raw == Calendar.class) {
      Calendar calendar = Calendar.getInstance();
      calendar.setTime(date(json, raw, false));
      return calendar;
    }
    if (raw == Instant.class && json instanceof Number) return Conversions.instant((Number) json);
    if (json instanceof String) {
      Object made = isEmpty(json) ? null : Conversions.fromText((String) json, raw);
      if (made == null && !isEmpty(json)) throw misfit(json, raw);
      return made;
    }
    Object single = single(json);
    if (single == null) return null;
    if (!(single instanceof Map)) throw misfit(json, raw);
    return bean((Map<?, ?>) single, type);
  }

  private Object bean(Map<?, ?> json, Type type) throws JsonException {
    BeanType bean = beans.get(type);
    if (bean == null) {
      bean = new BeanType(type);
      beans.put(type, bean);
    }
    if (!bean.parameters.isEmpty()) return bean.make(arguments(json, bean));
    Object made = bean.make();
    for (Map.Entry<?, ?> entry : json.entrySet()) {
      BeanType.Property property = bean.property((String) entry.getKey());
      if (property == null) continue;
      Object value = property(entry.getValue(), property, bean);
      try {
        property.set(made, value);
      } catch (InvocationTargetException e) {
        throw new JsonException("Setting the property failed: " + e.getCause(), e.getCause()).within("." + property.name);
      } catch (IllegalAccessException e) {
        throw new JsonException("Setting the property failed: " + e.getMessage(), e).within("." + property.name);
      }
    }
    return made;
  }

  private Object[] arguments(Map<?, ?> json, BeanType bean) throws JsonException {
    Object[] arguments = new Object[bean.parameters.size()];
    for (int i = 0; i < arguments.length; i++) arguments[i] = absent(Types.rawOf(bean.parameters.get(i).type));
    for (Map.Entry<?, ?> entry : json.entrySet()) {
      BeanType.Property property = bean.property((String) entry.getKey());
      if (property != null) arguments[bean.parameters.indexOf(property)] = property(entry.getValue(), property, bean);
    }
    return arguments;
  }

  private Object property(Object json, BeanType.Property property, BeanType bean) throws JsonException {
    try {
      boolean isAwsDate = bean.isAwsEvent && json instanceof Number && property.type == Date.class;
      return isAwsDate ? Conversions.date(json, true) : bind(json, property.type);
    } catch (JsonException e) {
      throw e.within("." + property.name);
    }
  }

  private static Date date(Object json, Class<?> raw, boolean inSeconds) throws JsonException {
    if (json instanceof Number || json instanceof String) return Conversions.date(json, inSeconds);
    throw misfit(json, raw);
  }

  private static byte[] base64(Object json, Class<?> raw) throws JsonException {
    if (!(json instanceof String)) throw misfit(json, raw);
    try {
      return Base64.getDecoder().decode((String) json);
    } catch (IllegalArgumentException e) {
      throw Conversions.unreadable(json, raw, e);
    }
  }

  /** A list where one is wanted, even if the JSON has a single value. */
  private static List<?> list(Object json) {
    return json instanceof List ? (List<?>) json : Collections.singletonList(json);
  }

  /** The one element of a list where no list is wanted. */
  private static Object single(Object json) {
    if (!(json instanceof List)) return json;
    List<?> list = (List<?>) json;
    return list.isEmpty() ? null : list.size() == 1 ? list.get(0) : json;
  }

  private static Type argument(Type type, Class<?> generic, int index) {
    return Types.argumentOf(type, generic, index);
  }

  private static JsonException misfit(Object json, Class<?> raw) {
    String kind = json instanceof Map ? "a JSON object" : json instanceof List ? "a JSON array" : null;
    if (kind == null) return Conversions.unreadable(json, raw, null);
    return new JsonException("Cannot read " + kind + " as " + raw.getTypeName());
  }
}
