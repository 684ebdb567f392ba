import type { Socket } from 'node:net'

/**
 * Calls `then` when a sandbox's channel or output has closed, also when that was before: a command that ends at once,
 * without a word, may be over before anybody listens to its streams, and a stream says 'close' only once.
 */
export function whenClosed(stream: Socket, then: () => void): void {
  if (stream.closed) process.nextTick(then)
  else stream.once('close', then)
}
