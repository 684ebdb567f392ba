package hearth.runtime.json;

import java.io.File;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.net.URL;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Currency;
import java.util.Date;
import java.util.Locale;
import java.util.TimeZone;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;

/** Numbers, dates, and types whose JSON is a string. */
final class Conversions {
  private static final String[] FACTORIES = {"fromString", "valueOf", "parse", "of"};

  private static final ClassValue<Executable> FROM_TEXT = new ClassValue<Executable>() {
    @Override
    protected Executable computeValue(Class<?> type) {
      return findFromText(type);
    }
  };

  private Conversions() {}

  /** Whether the JSON of this value is the string that it prints. */
  static boolean isText(Object value) {
    String name = value.getClass().getName();
    return name.startsWith("java.time.") || name.startsWith("org.joda.time.") || value instanceof UUID
        || value instanceof URI || value instanceof URL || value instanceof File || value instanceof Path
        || value instanceof Locale || value instanceof Currency || value instanceof Pattern
        || value instanceof Charset || value instanceof ZoneId;
  }

  /** @return null when the type is not made from a string */
  static Object fromText(String text, Class<?> type) throws JsonException {
    try {
      if (type == Path.class) return Paths.get(text);
      if (type == Locale.class) return Locale.forLanguageTag(text);
      if (type == Charset.class) return Charset.forName(text);
      if (type == Currency.class) return Currency.getInstance(text);
      if (type == Pattern.class) return Pattern.compile(text);
      if (type == TimeZone.class) return TimeZone.getTimeZone(text);
      Executable maker = FROM_TEXT.get(type);
      if (maker == null) return null;
      return maker instanceof Method ? ((Method) maker).invoke(null, text) : ((Constructor<?>) maker).newInstance(text);
    } catch (InvocationTargetException e) {
      throw unreadable(text, type, e.getCause());
    } catch (ReflectiveOperationException | RuntimeException e) {
      throw unreadable(text, type, e);
    }
  }

  /** @param type a primitive number, its box, Number, BigInteger, BigDecimal or an atomic number */
  static Number number(Object json, Class<?> type) throws JsonException {
    BigDecimal exact;
    try {
      exact = json instanceof BigDecimal ? (BigDecimal) json : new BigDecimal(json.toString().trim());
    } catch (NumberFormatException e) {
      if (type == double.class || type == Double.class) return Double.valueOf(unboundedDouble(json, type));
      if (type == float.class || type == Float.class) return (float) unboundedDouble(json, type);
      throw unreadable(json, type, null);
    }
    if (type == int.class || type == Integer.class) return (int) whole(exact, Integer.MIN_VALUE, Integer.MAX_VALUE, type);
    if (type == long.class || type == Long.class) return whole(exact, Long.MIN_VALUE, Long.MAX_VALUE, type);
    if (type == double.class || type == Double.class) return exact.doubleValue();
    if (type == float.class || type == Float.class) return exact.floatValue();
    if (type == short.class || type == Short.class) return (short) whole(exact, Short.MIN_VALUE, Short.MAX_VALUE, type);
    // 128 to 255 too, like the libraries that functions know.
    if (type == byte.class || type == Byte.class) return (byte) whole(exact, Byte.MIN_VALUE, 255, type);
    if (type == BigDecimal.class) return exact;
    if (type == BigInteger.class) return bounded(exact, type).toBigInteger();
    if (type == AtomicInteger.class) return new AtomicInteger((int) whole(exact, Integer.MIN_VALUE, Integer.MAX_VALUE, type));
    if (type == AtomicLong.class) return new AtomicLong(whole(exact, Long.MIN_VALUE, Long.MAX_VALUE, type));
    return (Number) natural(json instanceof Number ? json : exact);
  }

  static boolean isNumber(Class<?> type) {
    return Number.class.isAssignableFrom(type)
        || type.isPrimitive() && type != boolean.class && type != char.class && type != void.class;
  }

  /** What the value is where no type is asked for. */
  static Object natural(Object json) {
    return json instanceof BigDecimal ? (Object) ((BigDecimal) json).doubleValue() : json;
  }

  /** @param inSeconds whether numbers count seconds, as in AWS's own events, and not milliseconds */
  static Date date(Object json, boolean inSeconds) throws JsonException {
    if (json instanceof Number) {
      BigDecimal number = new BigDecimal(json.toString());
      BigDecimal millis = inSeconds ? number.movePointRight(3) : number;
      return new Date(whole(millis, Long.MIN_VALUE, Long.MAX_VALUE, Date.class));
    }
    String text = json.toString();
    try {
      if (text.length() == 10) return Date.from(LocalDate.parse(text).atStartOfDay(ZoneOffset.UTC).toInstant());
      return Date.from(text.endsWith("Z") ? Instant.parse(text) : OffsetDateTime.parse(text).toInstant());
    } catch (RuntimeException e) {
      throw unreadable(text, Date.class, e);
    }
  }

  static Instant instant(Number seconds) {
    BigDecimal exact = new BigDecimal(seconds.toString());
    long whole = exact.longValue();
    return Instant.ofEpochSecond(whole, exact.subtract(BigDecimal.valueOf(whole)).movePointRight(9).longValue());
  }

  static JsonException unreadable(Object json, Class<?> type, Throwable cause) {
    String text = json instanceof CharSequence ? "\"" + json + "\"" : String.valueOf(json);
    String shown = text.length() > 60 ? text.substring(0, 60) + "…" : text;
    return new JsonException("Cannot read " + shown + " as " + type.getTypeName(), cause);
  }

  private static long whole(BigDecimal exact, long min, long max, Class<?> type) throws JsonException {
    BigDecimal value = bounded(exact, type);
    if (value.compareTo(BigDecimal.valueOf(min)) < 0 || value.compareTo(BigDecimal.valueOf(max)) > 0) {
      throw new JsonException("The number " + exact + " is out of range for " + type.getTypeName());
    }
    return value.longValue();
  }

  /** Keeps 1e999999999 from becoming a thousand million digits. */
  private static BigDecimal bounded(BigDecimal exact, Class<?> type) throws JsonException {
    if (exact.precision() - (long) exact.scale() <= 10_000) return exact;
    throw new JsonException("The number " + exact + " is out of range for " + type.getTypeName());
  }

  private static double unboundedDouble(Object json, Class<?> type) throws JsonException {
    switch (json.toString()) {
      case "NaN":
        return Double.NaN;
      case "Infinity":
        return Double.POSITIVE_INFINITY;
      case "-Infinity":
        return Double.NEGATIVE_INFINITY;
      default:
        throw unreadable(json, type, null);
    }
  }

  private static Executable findFromText(Class<?> type) {
    for (String name : FACTORIES) {
      for (Class<?> parameter : new Class<?>[] {String.class, CharSequence.class}) {
        try {
          Method method = type.getMethod(name, parameter);
          boolean fits = Modifier.isStatic(method.getModifiers()) && type.isAssignableFrom(method.getReturnType());
          if (fits && Names.open(method)) return method;
        } catch (NoSuchMethodException e) {
          // The next.
        }
      }
    }
    try {
      Constructor<?> constructor = type.getConstructor(String.class);
      boolean isUsable = !Modifier.isAbstract(type.getModifiers()) && Names.open(constructor);
      return isUsable ? constructor : null;
    } catch (NoSuchMethodException e) {
      return null;
    }
  }
}
