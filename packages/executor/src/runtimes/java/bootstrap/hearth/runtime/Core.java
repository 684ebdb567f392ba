package hearth.runtime;

import hearth.runtime.json.JsonException;
import hearth.runtime.json.JsonParser;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The interfaces of aws-lambda-java-core as the function sees them, and what implements them. They may be the package's
 * own, of any version, so that nothing here is linked against them.
 */
final class Core {
  final Class<?> context;
  final Class<?> requestHandler;
  final Class<?> requestStreamHandler;
  private final FunctionLoader loader;
  private final InitMessage message;
  private final Object logger;

  Core(FunctionLoader loader, InitMessage message, Log log) throws ClassNotFoundException {
    this.loader = loader;
    this.message = message;
    context = type("Context");
    requestHandler = type("RequestHandler");
    requestStreamHandler = type("RequestStreamHandler");
    logger = implement("LambdaLogger", (method, arguments) -> {
      String level = arguments.length > 1 ? ((Enum<?>) arguments[1]).name() : Log.UNDEFINED;
      if (arguments[0] instanceof byte[]) log.write((byte[]) arguments[0], level);
      else log.write(String.valueOf(arguments[0]), level);
      return null;
    });
    shareLogger();
  }

  /** The second argument of handlers. */
  Object contextOf(Event event) throws ClassNotFoundException {
    return implement(context, (method, arguments) -> {
      switch (method) {
        case "getAwsRequestId":
          return event.requestId;
        case "getLogGroupName":
          return message.logGroup;
        case "getLogStreamName":
          return message.logStream;
        case "getFunctionName":
          return message.functionName;
        case "getFunctionVersion":
          return message.functionVersion;
        case "getInvokedFunctionArn":
          return event.invokedArn;
        case "getClientContext":
          return clientContextOf(event.clientContext);
        case "getRemainingTimeInMillis":
          return (int) Math.max(Integer.MIN_VALUE, event.deadlineMs - System.currentTimeMillis());
        case "getMemoryLimitInMB":
          return message.memoryMiB;
        case "getLogger":
          return logger;
        case "getXrayTraceId":
          return event.traceId;
        default:
          // getIdentity and getTenantId: there are none.
          return null;
      }
    });
  }

  private Object clientContextOf(String json) throws ClassNotFoundException, JsonException {
    if (json.isEmpty()) return null;
    Object parsed = JsonParser.parse(json.getBytes(StandardCharsets.UTF_8), false);
    Map<?, ?> all = parsed instanceof Map ? (Map<?, ?>) parsed : Collections.emptyMap();
    Map<String, String> client = texts(all.get("client"));
    Object clientObject = client == null ? null : implement("Client", (method, arguments) -> client.get(clientName(method)));
    Map<String, String> custom = texts(all.get("custom"));
    Map<String, String> environment = texts(all.get("env"));
    return implement("ClientContext", (method, arguments) -> {
      switch (method) {
        case "getClient":
          return clientObject;
        case "getCustom":
          return custom;
        case "getEnvironment":
          return environment;
        default:
          return null;
      }
    });
  }

  /** {@code getAppVersionName} is {@code app_version_name} in JSON. */
  private static String clientName(String getter) {
    return getter.substring(3).replaceAll("(?<=.)(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
  }

  private static Map<String, String> texts(Object json) {
    if (!(json instanceof Map)) return null;
    Map<String, String> texts = new LinkedHashMap<>();
    for (Map.Entry<?, ?> entry : ((Map<?, ?>) json).entrySet()) {
      texts.put((String) entry.getKey(), entry.getValue() == null ? null : entry.getValue().toString());
    }
    return texts;
  }

  /** {@code LambdaRuntime.getLogger()}, which log libraries use, gives the function's logger, too. */
  private void shareLogger() {
    try {
      Field field = type("LambdaRuntime").getDeclaredField("logger");
      field.setAccessible(true);
      field.set(null, logger);
    } catch (ReflectiveOperationException | LinkageError | RuntimeException e) {
      // A version of the library that keeps it elsewhere prints to stdout.
    }
  }

  private Class<?> type(String name) throws ClassNotFoundException {
    return Class.forName(FunctionLoader.CORE_PACKAGE + name, false, loader);
  }

  /** How a method of an interface is carried out, by its name. */
  private interface Implementation {
    Object call(String method, Object[] arguments) throws Throwable;
  }

  private Object implement(String type, Implementation implementation) throws ClassNotFoundException {
    return implement(type(type), implementation);
  }

  private Object implement(Class<?> type, Implementation implementation) {
    return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, new InvocationHandler() {
      @Override
      public Object invoke(Object self, Method method, Object[] arguments) throws Throwable {
        if (method.getDeclaringClass() != Object.class) return implementation.call(method.getName(), arguments);
        switch (method.getName()) {
          case "equals":
            return self == arguments[0];
          case "hashCode":
            return System.identityHashCode(self);
          default:
            return type.getName() + "@" + Integer.toHexString(System.identityHashCode(self));
        }
      }
    });
  }
}
