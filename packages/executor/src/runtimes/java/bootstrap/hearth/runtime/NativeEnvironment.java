package hearth.runtime;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * The environment of this process as the C library has it: a list of pointers on the stack, and the strings that they
 * point to behind it. Java can only read it, and does so once, when the first one asks. It is written here through
 * /proc/self/mem, into room that start.pl reserved, so that {@code System.getenv}, child processes, native libraries
 * and the time zone all find the function's.
 *
 * <p>Nothing may call {@code System.getenv} before {@link #become}.
 */
final class NativeEnvironment {
  private static final int POINTER_BYTES = 8;
  /** Fields of /proc/self/stat after the command's name, see proc(5): startstack, env_start and env_end. */
  private static final int STACK_FIELD = 28 - 3;
  private static final int START_FIELD = 50 - 3;
  private static final int END_FIELD = 51 - 3;

  private final long pointers;
  private final int maxVariables;
  private final long strings;
  private final long stringsEnd;

  private NativeEnvironment(long pointers, int maxVariables, long strings, long stringsEnd) {
    this.pointers = pointers;
    this.maxVariables = maxVariables;
    this.strings = strings;
    this.stringsEnd = stringsEnd;
  }

  /** Finds it. @throws IOException where the stack does not look as expected */
  static NativeEnvironment open() throws IOException {
    String[] stat = stat();
    long strings = Long.parseLong(stat[START_FIELD]);
    long stringsEnd = Long.parseLong(stat[END_FIELD]);
    try (RandomAccessFile memory = new RandomAccessFile("/proc/self/mem", "r")) {
      // At the start of the stack: the number of arguments, pointers to them, 0, pointers to the variables, 0.
      long stack = Long.parseLong(stat[STACK_FIELD]);
      long arguments = read(memory, stack, POINTER_BYTES).getLong();
      long pointers = stack + POINTER_BYTES * (arguments + 2);
      if (arguments < 1 || pointers >= strings) throw unknown();
      ByteBuffer list = read(memory, pointers, (int) (strings - pointers));
      int count = 0;
      for (long at = list.getLong(); at != 0; at = list.getLong(), count++) {
        if (at < strings || at >= stringsEnd) throw unknown();
      }
      return new NativeEnvironment(pointers, count, strings, stringsEnd);
    }
  }

  /** Makes {@code variables} the whole environment. */
  void replace(Map<String, String> variables) throws IOException {
    ByteBuffer texts = ByteBuffer.allocate((int) (stringsEnd - strings));
    ByteBuffer list = ByteBuffer.allocate((variables.size() + 1) * POINTER_BYTES).order(ByteOrder.nativeOrder());
    for (Map.Entry<String, String> variable : variables.entrySet()) {
      byte[] text = (variable.getKey() + "=" + variable.getValue() + "\0").getBytes(StandardCharsets.UTF_8);
      if (variables.size() > maxVariables || text.length > texts.remaining()) {
        throw new IOException("the environment of the function is too large");
      }
      list.putLong(strings + texts.position());
      texts.put(text);
    }
    list.putLong(0);
    try (RandomAccessFile memory = new RandomAccessFile("/proc/self/mem", "rw")) {
      memory.seek(strings);
      memory.write(texts.array(), 0, texts.position());
      memory.seek(pointers);
      memory.write(list.array());
    }
  }

  /** Makes {@code variables} the environment that Java shows, too. Once only. */
  void become(Map<String, String> variables) throws IOException {
    replace(variables);
    if (!System.getenv().keySet().equals(variables.keySet())) {
      throw new IOException("the environment was read before there was a function");
    }
  }

  private static String[] stat() throws IOException {
    try (RandomAccessFile file = new RandomAccessFile("/proc/self/stat", "r")) {
      String line = file.readLine();
      return line.substring(line.lastIndexOf(')') + 2).split(" ");
    }
  }

  private static ByteBuffer read(RandomAccessFile memory, long from, int count) throws IOException {
    byte[] bytes = new byte[count];
    memory.seek(from);
    memory.readFully(bytes);
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }

  private static IOException unknown() {
    return new IOException("the environment of the process is not where it should be");
  }
}
