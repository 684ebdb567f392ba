package hearth.runtime;

import hearth.runtime.json.Bytes;
import hearth.runtime.json.JsonException;
import hearth.runtime.json.JsonWriter;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** What is told of a failure: the caller's JSON and the log's text. */
final class Failures {
  private static final String OWN_PACKAGE = "hearth.runtime.";
  private static final int MAX_CAUSES = 50;

  private Failures() {}

  /** The caller's JSON of what the handler threw, with all of its causes. */
  static Bytes body(Throwable thrown) {
    return json(describe(thrown, 0));
  }

  static Bytes body(Fault fault) {
    return body(fault.getMessage(), fault.type);
  }

  static Bytes body(String message, String type) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("errorMessage", message);
    body.put("errorType", type);
    return json(body);
  }

  /** As Lambda logs it. */
  static String logText(Throwable thrown) {
    return messageOf(thrown) + ": " + thrown.getClass().getName() + "\n" + trace(thrown);
  }

  static String logText(Fault fault) {
    if (fault.getCause() == null) return fault.getMessage();
    return fault.getMessage() + ": " + fault.type + "\n" + trace(fault.getCause());
  }

  /** Takes the frames of this runtime, and of the reflection that it calls handlers by, out of a throwable for good. */
  static <T extends Throwable> T withoutOwnFrames(T thrown) {
    try {
      cut(thrown, Collections.newSetFromMap(new IdentityHashMap<>()));
    } catch (RuntimeException e) {
      // Its own methods fail: it stays as it is.
    }
    return thrown;
  }

  private static void cut(Throwable thrown, Set<Throwable> seen) {
    if (thrown == null || !seen.add(thrown)) return;
    StackTraceElement[] frames = thrown.getStackTrace();
    for (int i = 0; i < frames.length; i++) {
      if (!frames[i].getClassName().startsWith(OWN_PACKAGE)) continue;
      int end = i;
      while (end > 0 && isReflection(frames[end - 1].getClassName())) end--;
      StackTraceElement[] kept = new StackTraceElement[end];
      System.arraycopy(frames, 0, kept, 0, end);
      thrown.setStackTrace(kept);
      break;
    }
    cut(thrown.getCause(), seen);
    for (Throwable suppressed : thrown.getSuppressed()) cut(suppressed, seen);
  }

  private static boolean isReflection(String className) {
    return className.startsWith("java.lang.reflect.") || className.startsWith("jdk.internal.reflect.")
        || className.startsWith("sun.reflect.") || className.startsWith("java.lang.invoke.");
  }

  private static Map<String, Object> describe(Throwable thrown, int depth) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("errorMessage", messageOf(thrown));
    body.put("errorType", thrown.getClass().getName());
    StackTraceElement[] frames = thrown.getStackTrace();
    String[] lines = new String[frames.length];
    for (int i = 0; i < frames.length; i++) lines[i] = frames[i].toString();
    body.put("stackTrace", lines);
    Throwable cause = thrown.getCause();
    if (cause != null && depth < MAX_CAUSES) body.put("cause", describe(cause, depth + 1));
    return body;
  }

  private static String messageOf(Throwable thrown) {
    String name = thrown.getClass().getName();
    try {
      String message = thrown.getLocalizedMessage();
      return message == null ? name : message;
    } catch (RuntimeException e) {
      return name;
    }
  }

  private static String trace(Throwable thrown) {
    StringWriter text = new StringWriter();
    try {
      withoutOwnFrames(thrown).printStackTrace(new PrintWriter(text));
    } catch (RuntimeException e) {
      text.append(thrown.getClass().getName());
    }
    return text.toString();
  }

  private static Bytes json(Map<String, Object> body) {
    Bytes bytes = new Bytes();
    try {
      JsonWriter.write(body, bytes);
    } catch (JsonException e) {
      throw new IllegalStateException(e);
    }
    return bytes;
  }
}
