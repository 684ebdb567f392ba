package hearth.runtime;

import hearth.runtime.json.Bytes;
import hearth.runtime.json.JsonWriter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Runs functions through all that a real one goes through, over a channel in memory, so that its classes are loaded and
 * its methods compiled before there is a function.
 */
final class WarmUp {
  /** Of no function yet, as the process was started with. */
  static final Map<String, String> ENVIRONMENT = new LinkedHashMap<>();
  private static final String[] HANDLERS = {"warm.Values", "warm.Streams", "warm.Bean::handle"};
  private static final int ROUNDS = 10;
  private static final int EVENTS = 10;
  private static final int INIT = 1;
  private static final int INVOKE = 2;
  private static final String EVENT = "{\"key\":\"v\u00e4lue\",\"number\":1,\"list\":[1.5,true,null],\"nested\":{\"text\":\"a\\nb\"}}";

  static {
    ENVIRONMENT.put("PATH", "/var/lang/bin:/usr/local/bin:/usr/bin:/bin");
    ENVIRONMENT.put("LANG", "C.UTF-8");
    ENVIRONMENT.put("TZ", ":UTC");
  }

  private WarmUp() {}

  /** @param folder a package with the functions */
  static void run(String folder) throws IOException {
    Thread thread = Thread.currentThread();
    ClassLoader loader = thread.getContextClassLoader();
    for (int round = 0; round < ROUNDS; round++) {
      for (String handler : HANDLERS) {
        Channel channel = new Channel(new ByteArrayInputStream(frames(folder, handler)), new ByteArrayOutputStream());
        channel.ready();
        channel.receive();
        new Instance(channel, new InitMessage(channel.takePayload())).run();
      }
    }
    thread.setContextClassLoader(loader);
  }

  private static byte[] frames(String folder, String handler) throws IOException {
    Map<String, Object> message = new LinkedHashMap<>();
    message.put("handler", handler);
    message.put("taskRoot", folder);
    message.put("env", ENVIRONMENT);
    message.put("functionName", "warm");
    message.put("functionVersion", "$LATEST");
    message.put("memoryMiB", 128);
    message.put("logGroup", "");
    message.put("logStream", "");
    message.put("logFormat", "JSON");
    message.put("logLevel", "INFO");
    message.put("runtime", "java17");
    Bytes init = new Bytes();
    JsonWriter.write(message, init);

    Bytes frames = new Bytes();
    put(frames, INIT, 0, new byte[0], Arrays.copyOf(init.array(), init.length()));
    for (int seq = 1; seq <= EVENTS; seq++) put(frames, INVOKE, seq, meta(), EVENT.getBytes(StandardCharsets.UTF_8));
    return Arrays.copyOf(frames.array(), frames.length());
  }

  private static byte[] meta() {
    ByteBuffer meta = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN).putDouble(System.currentTimeMillis() + 3000);
    String[] texts = {"00000000-0000-4000-8000-000000000000", "Root=1-0-0", "arn", "{\"custom\":{\"a\":\"b\"}}"};
    for (String text : texts) meta.putShort((short) text.length()).put(text.getBytes(StandardCharsets.UTF_8));
    return Arrays.copyOf(meta.array(), meta.position());
  }

  private static void put(Bytes frames, int type, int seq, byte[] meta, byte[] payload) {
    ByteBuffer header = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN).putInt(meta.length + payload.length);
    frames.put(header.put((byte) type).put((byte) 0).putShort((short) meta.length).putInt(seq).array()).put(meta).put(payload);
  }
}
