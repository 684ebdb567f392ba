package hearth.runtime.json;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Bytes that grow. Not safe for several threads. */
public final class Bytes {
  private static final int USUAL = 4096;
  /** A larger piece of memory is not kept for the next use. */
  private static final int MAX_KEPT = 262_144;

  private byte[] bytes = new byte[USUAL];
  private int length;

  public byte[] array() {
    return bytes;
  }

  public int length() {
    return length;
  }

  public void clear() {
    length = 0;
    if (bytes.length > MAX_KEPT) bytes = new byte[USUAL];
  }

  public Bytes put(int b) {
    room(1);
    bytes[length++] = (byte) b;
    return this;
  }

  public Bytes put(byte[] from) {
    room(from.length);
    System.arraycopy(from, 0, bytes, length, from.length);
    length += from.length;
    return this;
  }

  public Bytes put(String text) {
    return put(text.getBytes(StandardCharsets.UTF_8));
  }

  @SuppressWarnings("deprecation") // the quickest way there is, and right for ASCII
  void putAscii(String text, int from, int to) {
    room(to - from);
    text.getBytes(from, to, bytes, length);
    length += to - from;
  }

  private void room(int count) {
    int need = length + count;
    if (need < 0) throw new OutOfMemoryError("more than 2 GiB of JSON");
    if (need > bytes.length) bytes = Arrays.copyOf(bytes, Math.max(need, bytes.length > (1 << 30) ? need : bytes.length * 2));
  }
}
