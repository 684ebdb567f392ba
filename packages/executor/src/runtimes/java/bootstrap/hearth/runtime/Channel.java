package hearth.runtime;

import hearth.runtime.json.Bytes;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The instance's end of the channel to the gateway: frames with a header of 12 bytes, little endian. What comes is
 * read by one thread at a time, under the lock of this object; what goes may come from any thread, each frame in one
 * write.
 */
final class Channel {
  private static final int HEADER_BYTES = 12;
  private static final int INVOKE = 2;
  private static final int READY = 16;
  private static final int INIT_OK = 17;
  private static final int INIT_ERROR = 18;
  private static final int RESULT = 19;
  private static final int ERROR = 20;
  private static final int LOG = 21;
  private static final int RETURNED = 22;
  private static final int FLAG_EXITING = 1;

  private static final int MAX_ERROR_TYPE_BYTES = 256;
  private static final int MAX_LOG_BYTES = 262_144;
  private static final int USUAL_BYTES = 65_536;
  /** Java reads up to this many bytes without asking for memory. */
  private static final int READ_BYTES = 8192;

  private final InputStream in;
  private final OutputStream out;
  /** Between position and limit lies what has come and nobody has taken. */
  private ByteBuffer inbox = ByteBuffer.allocate(USUAL_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final Object writing = new Object();

  Channel(InputStream in, OutputStream out) {
    this.in = in;
    this.out = out;
    inbox.flip();
  }

  /** Blocks until a whole frame is there. @return false when the gateway has closed the channel */
  synchronized boolean receive() throws IOException {
    while (!hasFrame()) if (!fill(missing())) return false;
    return true;
  }

  /** Takes the first frame's payload. */
  synchronized byte[] takePayload() {
    int body = inbox.position() + HEADER_BYTES;
    int from = body + metaLength();
    int to = body + bodyLength();
    inbox.position(to);
    return Arrays.copyOfRange(inbox.array(), from, to);
  }

  /** Takes the first frame. @return null when it is none that an instance expects here */
  synchronized Event takeEvent() {
    int start = inbox.position();
    if (inbox.get(start + 4) != INVOKE) {
      skip();
      return null;
    }
    int seq = inbox.getInt(start + 8);
    double deadlineMs = inbox.getDouble(start + HEADER_BYTES);
    int at = start + HEADER_BYTES + 8;
    String[] texts = new String[4];
    for (int i = 0; i < texts.length; i++) {
      int length = inbox.getShort(at) & 0xffff;
      texts[i] = length == 0 ? "" : new String(inbox.array(), at + 2, length, StandardCharsets.UTF_8);
      at += 2 + length;
    }
    return new Event(seq, (long) deadlineMs, texts[0], texts[1], texts[2], texts[3], takePayload());
  }

  /** Gives back all events that have come and nobody has taken, without waiting for more. */
  synchronized void giveBack() throws IOException {
    while (true) {
      while (hasFrame()) {
        if (inbox.get(inbox.position() + 4) == INVOKE) send(RETURNED, 0, inbox.getInt(inbox.position() + 8), null, null, 0);
        skip();
      }
      if (in.available() == 0 || !fill(Math.min(missing(), in.available()))) return;
    }
  }

  void ready() throws IOException {
    send(READY, 0, 0, null, null, 0);
  }

  void initOk() throws IOException {
    send(INIT_OK, 0, 0, null, null, 0);
  }

  void initError(String type, Bytes body) throws IOException {
    send(INIT_ERROR, 0, 0, latin1(type), body.array(), body.length());
  }

  void result(int seq, long micros, byte[] body, int length) throws IOException {
    send(RESULT, 0, seq, answerMeta(micros, ""), body, length);
  }

  void error(int seq, long micros, String type, byte[] body, int length, boolean exiting) throws IOException {
    send(ERROR, exiting ? FLAG_EXITING : 0, seq, answerMeta(micros, type), body, length);
  }

  /** One log event; a longer one than the protocol carries goes out in pieces that end between characters. */
  void log(int seq, long atMs, int level, byte[] text) throws IOException {
    byte[] meta = ByteBuffer.allocate(9).order(ByteOrder.LITTLE_ENDIAN).putDouble(atMs).put((byte) level).array();
    int from = 0;
    do {
      int to = Math.min(text.length, from + MAX_LOG_BYTES);
      for (int back = 0; back < 3 && to < text.length && (text[to] & 0xc0) == 0x80; back++) to--;
      byte[] piece = from == 0 && to == text.length ? text : Arrays.copyOfRange(text, from, to);
      send(LOG, 0, seq, meta, piece, piece.length);
      from = to;
    } while (from < text.length);
  }

  private boolean hasFrame() {
    return missing() == 0;
  }

  /** Bytes that the first frame still lacks, as far as is known yet. */
  private int missing() {
    int have = inbox.remaining();
    return have < HEADER_BYTES ? HEADER_BYTES - have : Math.max(0, HEADER_BYTES + bodyLength() - have);
  }

  private void skip() {
    inbox.position(inbox.position() + HEADER_BYTES + bodyLength());
  }

  private int bodyLength() {
    return inbox.getInt(inbox.position());
  }

  private int metaLength() {
    return inbox.getShort(inbox.position() + 6) & 0xffff;
  }

  /** Reads at least a byte. @return false at the end */
  private boolean fill(int wanted) throws IOException {
    makeRoom(Math.max(wanted, 1));
    int room = inbox.capacity() - inbox.limit();
    int count = in.read(inbox.array(), inbox.limit(), Math.min(room, Math.max(wanted, READ_BYTES)));
    if (count <= 0) return false;
    inbox.limit(inbox.limit() + count);
    return true;
  }

  private void makeRoom(int count) {
    if (inbox.capacity() - inbox.limit() >= count) return;
    int have = inbox.remaining();
    boolean fits = have + count <= USUAL_BYTES;
    ByteBuffer next = fits && inbox.capacity() == USUAL_BYTES ? inbox : ByteBuffer.allocate(Math.max(USUAL_BYTES, have + count));
    System.arraycopy(inbox.array(), inbox.position(), next.array(), 0, have);
    next.order(ByteOrder.LITTLE_ENDIAN).clear();
    next.limit(have);
    inbox = next;
  }

  private void send(int type, int flags, int seq, byte[] meta, byte[] payload, int length) throws IOException {
    int metaLength = meta == null ? 0 : meta.length;
    ByteBuffer frame = ByteBuffer.allocate(HEADER_BYTES + metaLength + length).order(ByteOrder.LITTLE_ENDIAN);
    frame.putInt(metaLength + length).put((byte) type).put((byte) flags).putShort((short) metaLength).putInt(seq);
    if (meta != null) frame.put(meta);
    if (payload != null) frame.put(payload, 0, length);
    synchronized (writing) {
      out.write(frame.array());
    }
  }

  private static byte[] answerMeta(long micros, String errorType) {
    byte[] type = latin1(errorType);
    ByteBuffer meta = ByteBuffer.allocate(4 + type.length).order(ByteOrder.LITTLE_ENDIAN);
    return meta.putInt((int) Math.min(micros, 0xffff_ffffL)).put(type).array();
  }

  private static byte[] latin1(String errorType) {
    byte[] bytes = errorType.getBytes(StandardCharsets.ISO_8859_1);
    return bytes.length <= MAX_ERROR_TYPE_BYTES ? bytes : Arrays.copyOf(bytes, MAX_ERROR_TYPE_BYTES);
  }
}
