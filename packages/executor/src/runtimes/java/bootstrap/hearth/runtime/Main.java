package hearth.runtime;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.lang.reflect.Constructor;

/**
 * The Java runtime: started ahead without a function, it gets ready, waits for INIT, becomes an instance of that
 * function and serves events until the gateway ends it.
 */
public final class Main {
  /** The channel to the gateway. */
  private static final int CHANNEL_FD = 3;
  private static final String WARM_FOLDER = "/var/runtime/warm";

  private Main() {}

  /** @param arguments the descriptor behind which start.pl waits; none to load all that a runtime loads, for the archive */
  public static void main(String[] arguments) throws Exception {
    WarmUp.run(WARM_FOLDER);
    NativeEnvironment environment = NativeEnvironment.open();
    if (arguments.length == 0) {
      System.getenv();
      return;
    }

    FileDescriptor socket = descriptor(CHANNEL_FD);
    Channel channel = new Channel(new FileInputStream(socket), new FileOutputStream(socket));
    WorkingDirectory directory = new WorkingDirectory(descriptor(Integer.parseInt(arguments[0])));
    environment.replace(WarmUp.ENVIRONMENT);
    channel.ready();
    if (!channel.receive()) Runtime.getRuntime().halt(0);

    InitMessage message = new InitMessage(channel.takePayload());
    environment.become(message.environment);
    directory.enter();
    try {
      new Instance(channel, message).run();
    } finally {
      // The gateway has closed the channel: nobody waits for anything any more.
      Runtime.getRuntime().halt(0);
    }
  }

  /**
   * A descriptor that this process was started with. Java gives none but the first three to its child processes.
   */
  private static FileDescriptor descriptor(int number) throws ReflectiveOperationException {
    Constructor<FileDescriptor> constructor = FileDescriptor.class.getDeclaredConstructor(int.class);
    constructor.setAccessible(true);
    return constructor.newInstance(number);
  }
}
