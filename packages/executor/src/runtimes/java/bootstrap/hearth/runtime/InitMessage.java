package hearth.runtime;

import hearth.runtime.json.JsonException;
import hearth.runtime.json.JsonParser;
import java.util.Map;

/** What the gateway says of the function when it gives the instance to it. */
final class InitMessage {
  final String handler;
  final String taskRoot;
  /** Everything that the function finds in its environment. */
  final Map<String, String> environment;
  final String functionName;
  final String functionVersion;
  final int memoryMiB;
  final String logGroup;
  final String logStream;
  final boolean logsJson;
  final String logLevel;
  /** AWS's identifier, e.g. {@code java17}. */
  final String runtime;

  @SuppressWarnings("unchecked")
  InitMessage(byte[] json) throws JsonException {
    Map<String, Object> message = (Map<String, Object>) JsonParser.parse(json, false);
    handler = (String) message.get("handler");
    taskRoot = (String) message.get("taskRoot");
    environment = (Map<String, String>) message.get("env");
    functionName = (String) message.get("functionName");
    functionVersion = (String) message.get("functionVersion");
    memoryMiB = (Integer) message.get("memoryMiB");
    logGroup = (String) message.get("logGroup");
    logStream = (String) message.get("logStream");
    logsJson = "JSON".equals(message.get("logFormat"));
    logLevel = (String) message.get("logLevel");
    runtime = (String) message.get("runtime");
  }
}
