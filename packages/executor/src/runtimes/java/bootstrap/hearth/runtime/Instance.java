package hearth.runtime;

import hearth.runtime.json.Bytes;
import java.io.IOError;
import java.io.IOException;
import java.nio.ByteBuffer;

/** One function's life in this process: it is loaded, then serves one event after the other, in order. */
final class Instance {
  /** Lambda's 6 MiB + 100. */
  private static final int MAX_RESPONSE_BYTES = 6_291_556;
  private static final String TOO_LARGE_TYPE = "Function.ResponseSizeTooLarge";
  private static final String TOO_LARGE =
      "Response payload size exceeded maximum allowed payload size (" + MAX_RESPONSE_BYTES + " bytes).";
  private static final byte[] NO_PAYLOAD = {'{', '}'};
  private static final int FAILED = 1;

  private final Channel channel;
  private final InitMessage message;
  private final Log log;
  private final Watcher watcher;
  private FunctionLoader loader;
  private Core core;
  private Handler handler;
  private TraceHeader trace;

  Instance(Channel channel, InitMessage message) {
    this.channel = channel;
    this.message = message;
    log = new Log(channel, message);
    watcher = new Watcher(channel);
  }

  /** Returns when the gateway has closed the channel. */
  void run() throws IOException {
    String aboutOptions = ToolOptions.apply(message.environment.get("JAVA_TOOL_OPTIONS"));
    if (aboutOptions != null) log.report(aboutOptions, Log.WARN);
    try {
      load();
    } catch (Fault fault) {
      log.report(Failures.logText(fault), Log.ERROR);
      channel.initError(fault.type, Failures.body(fault));
      System.exit(FAILED);
    }
    watcher.start();
    channel.initOk();
    while (channel.receive()) {
      Event event = channel.takeEvent();
      if (event != null) serve(event);
    }
    watcher.end();
    loader.close();
  }

  private void load() throws Fault {
    try {
      loader = new FunctionLoader(message.taskRoot);
      Thread.currentThread().setContextClassLoader(loader);
      trace = new TraceHeader(message.runtime);
      core = new Core(loader, message, log);
      handler = new HandlerFinder(loader, core).find(message.handler);
    } catch (IOException | ClassNotFoundException e) {
      throw Fault.of("The function's class path cannot be read: " + e.getMessage(), e);
    }
  }

  private void serve(Event event) throws IOException {
    log.enter(event);
    trace.set(event.traceId);
    watcher.begins(event.seq);
    long startedAt = System.nanoTime();
    ByteBuffer answer = null;
    Throwable thrown = null;
    try {
      answer = handler.call(event.payload.length == 0 ? NO_PAYLOAD : event.payload, core.contextOf(event));
    } catch (Throwable t) {
      thrown = Failures.withoutOwnFrames(t);
    }
    long micros = (System.nanoTime() - startedAt) / 1000;
    // Left behind by the handler, it would end the wait for the next event.
    Thread.interrupted();
    watcher.ends();
    if (thrown != null) {
      fail(event, thrown, micros);
    } else if (answer.limit() > MAX_RESPONSE_BYTES) {
      Bytes body = Failures.body(TOO_LARGE, TOO_LARGE_TYPE);
      channel.error(event.seq, micros, TOO_LARGE_TYPE, body.array(), body.length(), false);
    } else {
      channel.result(event.seq, micros, answer.array(), answer.limit());
    }
    log.leave();
  }

  private void fail(Event event, Throwable thrown, long micros) throws IOException {
    log.report(Failures.logText(thrown), Log.ERROR);
    Bytes body = Failures.body(thrown);
    // What a JVM is like after these nobody knows.
    boolean exiting = thrown instanceof VirtualMachineError || thrown instanceof IOError;
    channel.error(event.seq, micros, thrown.getClass().getName(), body.array(), body.length(), exiting);
    if (exiting) System.exit(FAILED);
  }
}
