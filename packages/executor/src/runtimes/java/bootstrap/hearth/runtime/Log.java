package hearth.runtime;

import hearth.runtime.json.Bytes;
import hearth.runtime.json.JsonException;
import hearth.runtime.json.JsonWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Log events as Lambda's logger writes them; each may hold newlines. */
final class Log {
  /** What {@code log} without a level means: never filtered, and not marked in text. */
  static final String UNDEFINED = "UNDEFINED";
  static final String WARN = "WARN";
  static final String ERROR = "ERROR";
  private static final List<String> LEVELS = Arrays.asList("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL");
  private static final int INFO = LEVELS.indexOf("INFO");

  private final Channel channel;
  private final boolean asJson;
  private final int lowest;
  /** The event at hand: 0 and null outside of one. */
  private volatile int seq;
  private volatile String requestId;

  Log(Channel channel, InitMessage message) {
    this.channel = channel;
    asJson = message.logsJson;
    lowest = asJson ? Math.max(0, LEVELS.indexOf(message.logLevel.toUpperCase(Locale.ROOT))) : 0;
  }

  void enter(Event event) {
    seq = event.seq;
    requestId = event.requestId;
  }

  void leave() {
    seq = 0;
  }

  /** @param level one of Lambda's, or {@link #UNDEFINED} */
  void write(String message, String level) {
    if (!isEnabled(level)) return;
    long now = System.currentTimeMillis();
    String text = asJson ? json(message, level, now) : level.equals(UNDEFINED) ? message : "[" + level + "] " + message;
    send(text.getBytes(StandardCharsets.UTF_8), level, now);
  }

  /** Bytes stay as they are, in both formats. */
  void write(byte[] message, String level) {
    if (isEnabled(level)) send(message, level, System.currentTimeMillis());
  }

  /** What Lambda itself has to say of the function. */
  void report(String message, String level) {
    if (asJson) write(message, level);
    else send(message.getBytes(StandardCharsets.UTF_8), level, System.currentTimeMillis());
  }

  private boolean isEnabled(String level) {
    return level.equals(UNDEFINED) || LEVELS.indexOf(level) >= lowest;
  }

  private String json(String message, String level, long now) {
    Map<String, Object> line = new LinkedHashMap<>();
    String time = Instant.ofEpochMilli(now).toString();
    // Without a fraction at a full second.
    line.put("timestamp", time.length() == 20 ? time.replace("Z", ".000Z") : time);
    line.put("message", message);
    line.put("level", level);
    if (requestId != null) line.put("AWSRequestId", requestId);
    Bytes bytes = new Bytes();
    try {
      JsonWriter.write(line, bytes);
    } catch (JsonException e) {
      throw new IllegalStateException(e);
    }
    return new String(bytes.array(), 0, bytes.length(), StandardCharsets.UTF_8);
  }

  private void send(byte[] text, String level, long now) {
    int end = text.length;
    if (end > 0 && text[end - 1] == '\n') end--;
    int number = LEVELS.indexOf(level);
    try {
      channel.log(seq, now, number < 0 ? INFO : number, end == text.length ? text : Arrays.copyOf(text, end));
    } catch (IOException e) {
      // The gateway is gone, and this process with it.
    }
  }
}
