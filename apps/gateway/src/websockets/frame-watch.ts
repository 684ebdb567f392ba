import type { Socket } from 'node:net'

/** Source: API Gateway quotas, WebSocket frame size. */
const FRAME_BYTES = 32_768
/** Longest head of a frame: two bytes, eight of length, four of mask. */
const HEAD_BYTES = 14

/**
 * Looks at the heads of the frames that come in, before `ws` does: that library knows a limit for messages alone. To be called
 * when that has the socket, and in the same turn: a listener that is there before takes what came with the handshake.
 *
 * @param onTooLarge - Called once, with the head of the first frame that is too large
 */
export function watchFrames(socket: Socket, onTooLarge: () => void): void {
  const head = Buffer.alloc(HEAD_BYTES)
  let headBytes = 0
  let payloadLeft = 0
  const watch = (chunk: Buffer): void => {
    let at = 0
    while (at < chunk.length) {
      if (payloadLeft > 0) {
        const skipped = Math.min(payloadLeft, chunk.length - at)
        payloadLeft -= skipped
        at += skipped
        continue
      }
      head[headBytes++] = chunk[at++]!
      if (headBytes < 2 || headBytes < headLength(head)) continue
      payloadLeft = payloadLength(head)
      headBytes = 0
      if (payloadLeft <= FRAME_BYTES) continue
      socket.off('data', watch)
      onTooLarge()
      return
    }
  }
  socket.prependListener('data', watch)
}

function headLength(head: Buffer): number {
  const short = head[1]! & 0x7f
  const mask = (head[1]! & 0x80) === 0 ? 0 : 4
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + mask
}

function payloadLength(head: Buffer): number {
  const short = head[1]! & 0x7f
  if (short === 126) return head.readUInt16BE(2)
  return short === 127 ? head.readUInt32BE(2) * 2 ** 32 + head.readUInt32BE(6) : short
}
