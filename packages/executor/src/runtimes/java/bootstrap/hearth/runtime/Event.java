package hearth.runtime;

/** One event as it came over the channel. */
final class Event {
  final int seq;
  /** Unix time. */
  final long deadlineMs;
  final String requestId;
  final String traceId;
  final String invokedArn;
  /** JSON or "". */
  final String clientContext;
  /** JSON. */
  final byte[] payload;

  Event(int seq, long deadlineMs, String requestId, String traceId, String invokedArn, String clientContext, byte[] payload) {
    this.seq = seq;
    this.deadlineMs = deadlineMs;
    this.requestId = requestId;
    this.traceId = traceId;
    this.invokedArn = invokedArn;
    this.clientContext = clientContext;
    this.payload = payload;
  }
}
