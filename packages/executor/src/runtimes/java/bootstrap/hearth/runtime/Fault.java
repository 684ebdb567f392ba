package hearth.runtime;

/** The function could not be loaded: what the caller and the log are told. */
final class Fault extends Exception {
  private static final long serialVersionUID = 1;

  /** What the caller reads as {@code errorType}. */
  final String type;

  /** @param cause whose stack trace the log shows, or null */
  Fault(String message, String type, Throwable cause) {
    super(message, cause);
    this.type = type;
  }

  static Fault of(String message, Throwable cause) {
    return new Fault(message, cause.getClass().getName(), cause);
  }
}
