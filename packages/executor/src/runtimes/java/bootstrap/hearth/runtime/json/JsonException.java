package hearth.runtime.json;

import java.io.IOException;

/** JSON that cannot be read, does not fit a Java type, or a Java value that has no JSON. */
public final class JsonException extends IOException {
  private static final long serialVersionUID = 1;

  private String path = "";

  JsonException(String message) {
    super(message);
  }

  JsonException(String message, Throwable cause) {
    super(message, cause);
  }

  /** The same problem, one level further up: {@code step} is {@code .name} or {@code [index]}. */
  JsonException within(String step) {
    path = step + path;
    return this;
  }

  @Override
  public String getMessage() {
    return path.isEmpty() ? super.getMessage() : super.getMessage() + " (at $" + path + ")";
  }
}
