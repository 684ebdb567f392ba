package hearth.runtime.json;

import java.lang.reflect.Array;
import java.lang.reflect.InvocationTargetException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Calendar;
import java.util.Date;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writes Java values as JSON: collections and arrays as arrays, maps and beans as objects. Properties of beans that are
 * null are left out.
 */
public final class JsonWriter {
  private static final int MAX_DEPTH = 500;
  private static final char[] HEX = "0123456789abcdef".toCharArray();

  private final Bytes out;

  private JsonWriter(Bytes out) {
    this.out = out;
  }

  /** Appends {@code value} to {@code out}; what is there already when this fails is of no use. */
  public static void write(Object value, Bytes out) throws JsonException {
    new JsonWriter(out).value(value, 0);
  }

  private void value(Object value, int depth) throws JsonException {
    if (depth > MAX_DEPTH) {
      throw new JsonException("The value is nested deeper than " + MAX_DEPTH + ": does it contain itself?");
    }
    if (value == null) out.put("null");
    else if (value instanceof CharSequence || value instanceof Character) string(value.toString());
    else if (value instanceof Number) number((Number) value);
    else if (value instanceof Boolean || value instanceof AtomicBoolean) out.put(value.toString());
    else if (value instanceof Map) map((Map<?, ?>) value, depth);
    else if (value instanceof Optional) value(((Optional<?>) value).orElse(null), depth + 1);
    else if (value instanceof Enum) string(((Enum<?>) value).name());
    else if (value instanceof Class) string(((Class<?>) value).getName());
    else if (value instanceof Date) number(((Date) value).getTime());
    else if (value instanceof Calendar) number(((Calendar) value).getTimeInMillis());
    else if (value instanceof byte[]) string(Base64.getEncoder().encodeToString((byte[]) value));
    else if (value instanceof char[]) string(new String((char[]) value));
    else if (value instanceof ByteBuffer) string(base64((ByteBuffer) value));
    else if (value.getClass().isArray()) array(value, depth);
    else if (Conversions.isText(value)) string(value.toString());
    else if (value instanceof Iterable) elements(((Iterable<?>) value).iterator(), depth);
    else if (value instanceof Iterator) elements((Iterator<?>) value, depth);
    else bean(value, depth);
  }

  private void number(Number number) {
    boolean isDigits = number instanceof Integer || number instanceof Long || number instanceof Short
        || number instanceof Byte || number instanceof BigInteger || number instanceof BigDecimal
        || number instanceof AtomicInteger || number instanceof AtomicLong;
    if (isDigits) {
      out.put(number.toString());
      return;
    }
    String text = number instanceof Float ? number.toString() : Double.toString(number.doubleValue());
    // JSON has no words for these: as strings, like the libraries that functions know.
    boolean isNumber = !Double.isNaN(number.doubleValue()) && !Double.isInfinite(number.doubleValue());
    if (isNumber) out.put(text);
    else string(text);
  }

  private void map(Map<?, ?> map, int depth) throws JsonException {
    char before = '{';
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      Object key = entry.getKey();
      if (key == null) throw new JsonException("A map with the key null has no JSON");
      String name = key instanceof Enum ? ((Enum<?>) key).name() : key.toString();
      out.put(before);
      string(name);
      out.put(':');
      member(entry.getValue(), name, depth);
      before = ',';
    }
    if (before == '{') out.put(before);
    out.put('}');
  }

  private void bean(Object bean, int depth) throws JsonException {
    char before = '{';
    for (Getters.Getter getter : Getters.of(bean.getClass())) {
      Object value;
      try {
        value = getter.get(bean);
      } catch (InvocationTargetException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        throw new JsonException("Reading the property failed: " + cause, cause).within("." + getter.name);
      } catch (IllegalAccessException e) {
        continue;
      }
      if (value == null) continue;
      out.put(before);
      string(getter.name);
      out.put(':');
      member(value, getter.name, depth);
      before = ',';
    }
    if (before == '{') out.put(before);
    out.put('}');
  }

  private void member(Object value, String name, int depth) throws JsonException {
    try {
      value(value, depth + 1);
    } catch (JsonException e) {
      // The path of a value that contains itself would only repeat.
      throw depth < 8 ? e.within("." + name) : e;
    }
  }

  private void elements(Iterator<?> elements, int depth) throws JsonException {
    char before = '[';
    while (elements.hasNext()) {
      out.put(before);
      value(elements.next(), depth + 1);
      before = ',';
    }
    if (before == '[') out.put(before);
    out.put(']');
  }

  private void array(Object array, int depth) throws JsonException {
    out.put('[');
    int length = Array.getLength(array);
    for (int i = 0; i < length; i++) {
      if (i > 0) out.put(',');
      value(Array.get(array, i), depth + 1);
    }
    out.put(']');
  }

  private void string(String text) {
    out.put('"');
    int plain = 0;
    int at = 0;
    for (; at < text.length(); at++) {
      char c = text.charAt(at);
      if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') continue;
      out.putAscii(text, plain, at);
      if (c < 0x80) escape(c);
      else at += other(text, at);
      plain = at + 1;
    }
    out.putAscii(text, plain, at);
    out.put('"');
  }

  private void escape(char c) {
    int letter = "\"\\\b\f\n\r\t".indexOf(c);
    if (letter >= 0) out.put('\\').put("\"\\bfnrt".charAt(letter));
    else if (c == 0x7f) out.put(c);
    else unit(c);
  }

  /** Writes what is not ASCII, as UTF-8. @return how many chars it took beside the first */
  private int other(String text, int at) {
    int c = text.codePointAt(at);
    if (c < 0x800) {
      out.put(0xc0 | c >> 6).put(0x80 | c & 0x3f);
    } else if (c >= 0x10000) {
      out.put(0xf0 | c >> 18).put(0x80 | c >> 12 & 0x3f).put(0x80 | c >> 6 & 0x3f).put(0x80 | c & 0x3f);
      return 1;
    } else if (c >= 0xd800 && c < 0xe000) {
      // Half of a pair has no UTF-8, but an escape.
      unit(c);
    } else {
      out.put(0xe0 | c >> 12).put(0x80 | c >> 6 & 0x3f).put(0x80 | c & 0x3f);
    }
    return 0;
  }

  private void unit(int c) {
    out.put('\\').put('u').put(HEX[c >> 12]).put(HEX[c >> 8 & 15]).put(HEX[c >> 4 & 15]).put(HEX[c & 15]);
  }

  private static String base64(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return Base64.getEncoder().encodeToString(bytes);
  }
}
