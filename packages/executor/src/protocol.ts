/**
 * The channel between the gateway and an instance: one stream socket, length-prefixed frames, little endian.
 *
 *   0  u32  body length (bytes after this 12-byte header)
 *   4  u8   type
 *   5  u8   flags
 *   6  u16  meta length: the body is meta, then payload
 *   8  u32  sequence number of the event on this channel; 0 for frames that belong to none
 *
 * Payload bytes are the caller's or the function's JSON and are never parsed by the gateway.
 * What an instance sends is untrusted: lengths are checked before anything is buffered, a frame for a sequence
 * number that is not in flight ends the instance.
 */
export const HEADER_BYTES = 12

/** Gateway to instance. */
export const INIT = 1
export const INVOKE = 2
/** To an instance that asked for it: it is about to end. Meta: u32 milliseconds until it is killed. Payload: `spindown`, `timeout` or `failure`. */
export const SHUTDOWN = 3
/** To an event that is answered as a stream: the caller has taken more of it. Meta: u32 cost that is given back. */
export const WINDOW = 4

/** Instance to gateway. */
export const READY = 16
export const INIT_OK = 17
/** Payload: the error object as JSON. Meta: the error type, latin1. */
export const INIT_ERROR = 18
/** Payload: the handler's answer. Meta: u32 microseconds that the handler ran. */
export const RESULT = 19
/** Payload: the error object as JSON. Meta: u32 microseconds, then the error type, latin1. */
export const ERROR = 20
/** Payload: one log event in UTF-8 without its newline. Meta: f64 Unix ms, u8 level (index into LOG_LEVELS). Sequence 0 outside of an event. */
export const LOG = 21
/** An event that was delivered but not started, given back: the gateway runs it elsewhere. */
export const RETURNED = 22
/** The answer to an event that was sent with FLAG_STREAM begins. Payload: its content type, latin1; '' is unknown. */
export const STREAM_START = 23
/**
 * A piece of it; only after STREAM_START. It costs the length of its payload and {@link STREAM_FRAME_COST}, and the sum
 * of costs stays within {@link STREAM_WINDOW} and what WINDOW frames gave back: the gateway never holds more than that
 * for one event, and never has to stop reading the channel, which carries the log and other events too.
 */
export const STREAM_DATA = 24
/**
 * The event is over; instead of RESULT or ERROR once STREAM_START was sent. Meta: u32 microseconds, then the error type,
 * latin1: '' is success. Payload: the error object as JSON.
 */
export const STREAM_END = 25

/** The runtime has been given this event: what it prints from here on is of it. Only after FLAG_TELLS_STARTS. */
export const STARTED = 26

/** On INVOKE: the caller takes the answer as it comes. The runtime may stream it, or send a RESULT as ever. */
export const FLAG_STREAM = 1

/** On STREAM_DATA: no more of it follows, though the handler goes on. */
export const FLAG_LAST = 1

/**
 * Not on the wire: what the frame reader hands on is not the beginning of its STREAM_DATA frame. Large frames are
 * passed on as they come, so that no byte of a stream is copied on its way through the gateway.
 */
export const FLAG_REST = 128

/** On RESULT, ERROR and STREAM_END: the runtime is about to end, so it takes no further event. */
export const FLAG_EXITING = 1

/** On INIT_OK: before it is killed it wants a SHUTDOWN and time to act on it. */
export const FLAG_WANTS_SHUTDOWN = 1

/** On INIT_OK, beside FLAG_WANTS_SHUTDOWN: programs beside the runtime want it, and get more time. */
export const FLAG_HAS_EXTERNAL = 2

/** On INIT_OK: it sends STARTED, since an event may wait there for what is left of the one before. */
export const FLAG_TELLS_STARTS = 4

/** On INIT_ERROR: the payload is not the caller's error object but the platform's words for one, which gets the request id. */
export const FLAG_PLATFORM = 2

/** The largest RESULT payload: Lambda's 6 MiB + 100. A larger answer is sent as an ERROR that says so. */
export const MAX_RESPONSE_BYTES = 6_291_556

/** Bytes of a streamed answer: Lambda's default of 200 MB. The runtime ends a longer one with the error that says so. */
export const MAX_STREAM_BYTES = 209_715_200

/** The largest STREAM_DATA payload. */
export const MAX_STREAM_CHUNK_BYTES = 65_536

/** What may be under way of one streamed answer, in cost. */
export const STREAM_WINDOW = 524_288

/** What a STREAM_DATA frame costs beyond its payload: tiny ones take memory and time too. */
export const STREAM_FRAME_COST = 256

/** Below this payload a STREAM_DATA frame counts against the instance's output budget. */
export const SMALL_STREAM_CHUNK_BYTES = 1_024

export const MAX_CONTENT_TYPE_BYTES = 1_024

/** The largest STREAM_END payload. A larger error is replaced by one that says so. */
export const MAX_STREAM_ERROR_BYTES = 262_144

/** The largest LOG payload; a longer event is sent as several. */
export const MAX_LOG_BYTES = 262_144

/** Bytes of an error type in the meta of ERROR and INIT_ERROR. */
export const MAX_ERROR_TYPE_BYTES = 256

/** Levels of LOG frames, by number. */
export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const

/**
 * Meta of INVOKE: f64 deadline (Unix ms), then four strings in UTF-8, each with a u16 length before it:
 * request id, trace id, invoked ARN, client context.
 */
export const INVOKE_FIXED_BYTES = 8

/** INIT's payload, as JSON. */
export interface InitMessage {
  readonly handler: string
  /** Everything that the function finds in its environment. */
  readonly env: Readonly<Record<string, string>>
  /** /var/task */
  readonly taskRoot: string
  readonly functionName: string
  readonly functionVersion: string
  readonly memoryMiB: number
  readonly logGroup: string
  readonly logStream: string
  readonly logFormat: 'Text' | 'JSON'
  readonly logLevel: string
  /** AWS's identifier: rules differ by version (callbacks end with nodejs24.x). */
  readonly runtime: string
  readonly backend: 'process' | 'threads'
  readonly concurrency: number
  /** Worker threads of the `threads` backend; 0 serves all events on the main thread. */
  readonly threads: number
}
