package hearth.runtime.json;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads JSON into maps, lists, strings, numbers, booleans and null. Whole numbers become the smallest of Integer, Long
 * and BigInteger that holds them; of members with the same name the last one counts.
 */
public final class JsonParser {
  private static final int MAX_DEPTH = 1000;
  /** Turning digits into numbers takes time that grows with the square of their count. */
  private static final int MAX_NUMBER_LENGTH = 1000;

  private final byte[] json;
  private final boolean exact;
  private int at;

  private JsonParser(byte[] json, boolean exact) {
    this.json = json;
    this.exact = exact;
  }

  /**
   * @param json one value in UTF-8
   * @param exact whether numbers with a fraction become BigDecimal, else Double
   */
  public static Object parse(byte[] json, boolean exact) throws JsonException {
    JsonParser parser = new JsonParser(json, exact);
    Object value = parser.value(0);
    parser.skipSpace();
    if (parser.at < json.length) throw parser.unexpected();
    return value;
  }

  private Object value(int depth) throws JsonException {
    skipSpace();
    if (at == json.length) throw new JsonException("Unexpected end of JSON");
    switch (json[at]) {
      case '{':
        return object(depth + 1);
      case '[':
        return array(depth + 1);
      case '"':
        return string();
      case 't':
        return literal("true", Boolean.TRUE);
      case 'f':
        return literal("false", Boolean.FALSE);
      case 'n':
        return literal("null", null);
      default:
        return number();
    }
  }

  private Map<String, Object> object(int depth) throws JsonException {
    checkDepth(depth);
    Map<String, Object> members = new LinkedHashMap<>();
    at++;
    if (isNext('}')) return members;
    do {
      skipSpace();
      if (at == json.length || json[at] != '"') throw unexpected();
      String name = string();
      if (!isNext(':')) throw unexpected();
      members.put(name, value(depth));
    } while (isNext(','));
    if (!isNext('}')) throw unexpected();
    return members;
  }

  private List<Object> array(int depth) throws JsonException {
    checkDepth(depth);
    List<Object> elements = new ArrayList<>();
    at++;
    if (isNext(']')) return elements;
    do {
      elements.add(value(depth));
    } while (isNext(','));
    if (!isNext(']')) throw unexpected();
    return elements;
  }

  private String string() throws JsonException {
    int from = ++at;
    boolean ascii = true;
    while (at < json.length) {
      byte b = json[at];
      if (b == '"') return text(from, at++, ascii);
      if (b == '\\') return stringWithEscapes(from);
      if (b < 0) ascii = false;
      else if (b < ' ') throw unexpected();
      at++;
    }
    throw new JsonException("Unexpected end of JSON");
  }

  private String stringWithEscapes(int from) throws JsonException {
    StringBuilder text = new StringBuilder();
    int plain = from;
    while (at < json.length) {
      byte b = json[at];
      if (b == '"') return text.append(text(plain, at++, false)).toString();
      if (b >= 0 && b < ' ') throw unexpected();
      if (b != '\\') {
        at++;
        continue;
      }
      text.append(text(plain, at++, false)).append(escaped());
      plain = at;
    }
    throw new JsonException("Unexpected end of JSON");
  }

  private char escaped() throws JsonException {
    if (at == json.length) throw new JsonException("Unexpected end of JSON");
    switch (json[at++]) {
      case '"':
        return '"';
      case '\\':
        return '\\';
      case '/':
        return '/';
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'u':
        int unit = 0;
        for (int i = 0; i < 4; i++, at++) {
          int digit = at < json.length ? Character.digit((char) json[at], 16) : -1;
          if (digit < 0) throw unexpected();
          unit = unit << 4 | digit;
        }
        return (char) unit;
      default:
        at--;
        throw unexpected();
    }
  }

  private Object number() throws JsonException {
    int from = at;
    if (at < json.length && json[at] == '-') at++;
    int first = at;
    digits();
    if (json[first] == '0' && at - first > 1) {
      at = first + 1;
      throw unexpected();
    }
    boolean whole = true;
    if (at < json.length && json[at] == '.') {
      whole = false;
      at++;
      digits();
    }
    if (at < json.length && (json[at] == 'e' || json[at] == 'E')) {
      whole = false;
      at++;
      if (at < json.length && (json[at] == '+' || json[at] == '-')) at++;
      digits();
    }
    if (at - from > MAX_NUMBER_LENGTH) throw new JsonException("A number is longer than " + MAX_NUMBER_LENGTH);
    String text = text(from, at, true);
    if (!whole) return exact ? (Object) decimal(text) : (Object) Double.valueOf(text);
    if (text.length() > 18) return new BigInteger(text).bitLength() < 64 ? (Object) Long.valueOf(text) : new BigInteger(text);
    long value = Long.parseLong(text);
    return value == (int) value ? (Object) Integer.valueOf((int) value) : (Object) Long.valueOf(value);
  }

  private static BigDecimal decimal(String text) throws JsonException {
    try {
      return new BigDecimal(text);
    } catch (NumberFormatException e) {
      throw new JsonException("The exponent of " + text + " is out of range", e);
    }
  }

  private void digits() throws JsonException {
    int from = at;
    while (at < json.length && json[at] >= '0' && json[at] <= '9') at++;
    if (at == from) throw unexpected();
  }

  private Object literal(String word, Object value) throws JsonException {
    for (int i = 0; i < word.length(); i++, at++) {
      if (at == json.length || json[at] != word.charAt(i)) throw unexpected();
    }
    return value;
  }

  private String text(int from, int to, boolean ascii) {
    return new String(json, from, to - from, ascii ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8);
  }

  /** Skips {@code wanted} and the space before it, if that is what comes next. */
  private boolean isNext(char wanted) {
    skipSpace();
    if (at == json.length || json[at] != wanted) return false;
    at++;
    return true;
  }

  private void skipSpace() {
    while (at < json.length && (json[at] == ' ' || json[at] == '\n' || json[at] == '\r' || json[at] == '\t')) at++;
  }

  private static void checkDepth(int depth) throws JsonException {
    if (depth > MAX_DEPTH) throw new JsonException("JSON is nested deeper than " + MAX_DEPTH);
  }

  private JsonException unexpected() {
    if (at >= json.length) return new JsonException("Unexpected end of JSON");
    int unit = json[at] & 0xff;
    String found = unit > ' ' && unit < 0x7f ? "'" + (char) unit + "'" : String.format("byte 0x%02x", unit);
    return new JsonException("Unexpected " + found + " at byte " + at + " of the JSON");
  }
}
