package hearth.runtime;

import java.lang.reflect.Field;
import java.util.Map;

/**
 * Where functions find the trace id of their event: in a system property, and with java8.al2 and java11 in an
 * environment variable, too.
 */
final class TraceHeader {
  private static final String PROPERTY = "com.amazonaws.xray.traceHeader";
  private static final String VARIABLE = "_X_AMZN_TRACE_ID";

  /** The map behind {@code System.getenv}, or null. */
  private final Map<String, String> variables;
  private String present = "";

  TraceHeader(String runtime) {
    System.clearProperty(PROPERTY);
    variables = runtime.startsWith("java8") || runtime.equals("java11") ? writableEnvironment() : null;
  }

  void set(String traceId) {
    if (traceId.equals(present)) return;
    present = traceId;
    if (traceId.isEmpty()) {
      System.clearProperty(PROPERTY);
      if (variables != null) variables.remove(VARIABLE);
    } else {
      System.setProperty(PROPERTY, traceId);
      if (variables != null) variables.put(VARIABLE, traceId);
    }
  }

  @SuppressWarnings("unchecked")
  private static Map<String, String> writableEnvironment() {
    try {
      Map<String, String> readable = System.getenv();
      Field inner = readable.getClass().getDeclaredField("m");
      inner.setAccessible(true);
      return (Map<String, String>) inner.get(readable);
    } catch (ReflectiveOperationException | RuntimeException e) {
      return null;
    }
  }
}
