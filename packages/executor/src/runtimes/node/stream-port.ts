import type { Channel } from './channel.ts'
import { later } from './primordials.ts'
import type { StreamPort } from './response-stream.ts'

/** Streams that leave over the channel of this thread. */
export function createStreamPort(channel: Channel): StreamPort {
  const flush = (): void => {
    channel.flush()
  }
  return {
    start: (seq, contentType) => {
      channel.outbox.streamStart(seq, contentType)
    },
    data: (seq, chunk, from, to, isLast) => {
      channel.outbox.streamData(seq, chunk, from, to, isLast)
      // The end of the event is most often the next thing to be said.
      if (isLast) later(flush)
      else channel.flush()
    },
    hold: (on) => {
      channel.hold(on)
    }
  }
}
