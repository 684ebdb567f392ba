import { FLAG_STREAM, INVOKE_FIXED_BYTES } from '../../../protocol.ts'
import type { Frame } from './channel.ts'

/** One invocation. */
export interface Event {
  readonly seq: number
  /** Unix time. */
  readonly deadlineMs: number
  readonly requestId: string
  readonly traceId: string
  readonly invokedArn: string
  /** JSON or ''. */
  readonly clientContext: string
  readonly payload: Buffer
  /** `performance.now()` of its arrival. */
  readonly arrivedAt: number
  readonly frame: Frame
  /** The caller takes the answer as it comes. */
  readonly streamed: boolean
}

/** @param frame - An INVOKE */
export function eventOf(frame: Frame): Event {
  const { meta } = frame
  let at = INVOKE_FIXED_BYTES
  const text = (): string => {
    const end = at + 2 + meta.readUInt16LE(at)
    const value = meta.toString('utf8', at + 2, end)
    at = end
    return value
  }
  const [requestId, traceId, invokedArn, clientContext] = [text(), text(), text(), text()]
  return {
    seq: frame.seq,
    deadlineMs: meta.readDoubleLE(0),
    requestId,
    traceId,
    invokedArn,
    clientContext,
    payload: frame.payload,
    arrivedAt: performance.now(),
    frame,
    streamed: (frame.flags & FLAG_STREAM) !== 0
  }
}
