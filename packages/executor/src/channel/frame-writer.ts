import { HEADER_BYTES, INIT, INVOKE, INVOKE_FIXED_BYTES, type InitMessage, SHUTDOWN, WINDOW } from '../protocol.ts'

const MAX_STRING_BYTES = 0xffff

/** Methods of Node's Buffer that its types do not list; they skip the choice of an encoding. */
type RawBuffer = Buffer & {
  latin1Write(text: string, at: number, bytes: number): number
  utf8Write(text: string, at: number, bytes: number): number
}

/**
 * One INVOKE frame; the payload is copied once.
 * @param seq - 1 … 2^32-1
 * @param deadlineMs - Unix time
 * @param requestId - ASCII
 * @param flags - FLAG_STREAM or 0
 * @throws RangeError if a string is longer than 65,535 bytes, or all of them together are
 */
export function encodeInvoke(
  seq: number,
  deadlineMs: number,
  requestId: string,
  traceId: string,
  invokedArn: string,
  clientContext: string,
  payload: Buffer,
  flags = 0
): Buffer {
  const idBytes = requestId.length
  const traceBytes = byteLength(traceId)
  const arnBytes = byteLength(invokedArn)
  const contextBytes = byteLength(clientContext)
  const metaBytes = INVOKE_FIXED_BYTES + 8 + idBytes + traceBytes + arnBytes + contextBytes
  if (metaBytes > MAX_STRING_BYTES) throw new RangeError(`meta of ${metaBytes} bytes`)

  const frame = Buffer.allocUnsafe(HEADER_BYTES + metaBytes + payload.length) as RawBuffer
  writeHeader(frame, INVOKE, seq, metaBytes, payload.length)
  frame[5] = flags
  let at = frame.writeDoubleLE(deadlineMs, HEADER_BYTES)
  at = frame.writeUInt16LE(idBytes, at)
  at += frame.latin1Write(requestId, at, idBytes)
  at = writeString(frame, at, traceId, traceBytes)
  at = writeString(frame, at, invokedArn, arnBytes)
  at = writeString(frame, at, clientContext, contextBytes)
  payload.copy(frame, at)
  return frame
}

/** The INIT frame: what turns a pre-started runtime into an instance of a function. */
export function encodeInit(message: InitMessage): Buffer {
  const text = JSON.stringify(message)
  const payloadBytes = Buffer.byteLength(text)
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payloadBytes)
  writeHeader(frame, INIT, 0, 0, payloadBytes)
  frame.write(text, HEADER_BYTES)
  return frame
}

/** The SHUTDOWN frame. @param limitMs - Until the instance is killed */
export function encodeShutdown(reason: 'spindown' | 'timeout' | 'failure', limitMs: number): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + 4 + reason.length)
  writeHeader(frame, SHUTDOWN, 0, 4, reason.length)
  frame.writeUInt32LE(limitMs, HEADER_BYTES)
  frame.write(reason, HEADER_BYTES + 4, 'latin1')
  return frame
}

/** A WINDOW frame. @param cost - That is given back, 1 … 2^32-1 */
export function encodeWindow(seq: number, cost: number): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + 4)
  writeHeader(frame, WINDOW, seq, 4, 0)
  frame.writeUInt32LE(cost, HEADER_BYTES)
  return frame
}

function byteLength(text: string): number {
  return text.length === 0 ? 0 : Buffer.byteLength(text)
}

function writeString(frame: RawBuffer, at: number, text: string, bytes: number): number {
  const from = frame.writeUInt16LE(bytes, at)
  if (bytes === 0) return from
  // One byte for each character means ASCII, which latin1 writes faster.
  return from + (bytes === text.length ? frame.latin1Write(text, from, bytes) : frame.utf8Write(text, from, bytes))
}

function writeHeader(frame: Buffer, type: number, seq: number, metaBytes: number, payloadBytes: number): void {
  frame.writeUInt32LE(metaBytes + payloadBytes, 0)
  frame[4] = type
  frame[5] = 0
  frame.writeUInt16LE(metaBytes, 6)
  frame.writeUInt32LE(seq, 8)
}
