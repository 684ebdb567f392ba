package hearth.runtime;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;

/**
 * The working directory, which Java cannot change. It is /var/task from the start, but the folder that was there
 * before the function's code was mounted over it; start.pl left a process that shares the directory with this one and
 * enters it anew when asked.
 */
final class WorkingDirectory {
  private final FileDescriptor helper;

  WorkingDirectory(FileDescriptor helper) {
    this.helper = helper;
  }

  /** Enters /var/task as it is now. Once only. */
  void enter() throws IOException {
    try (FileOutputStream request = new FileOutputStream(helper); FileInputStream answer = new FileInputStream(helper)) {
      request.write('.');
      if (answer.read() != '.') throw new IOException("cannot enter the folder of the function's code");
    }
  }
}
