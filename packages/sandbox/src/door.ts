import type { SendHandle } from 'node:child_process'
import type { Server } from 'node:net'

/** At 127.0.0.1. Nothing in a sandbox may listen below 1024, so nothing there is in its way. */
export const DOOR_PORT = 901

/** A listening socket inside a sandbox, held by this process. Connections that are not accepted wait in the kernel. */
export interface Door {
  /** Lets a server accept, and end with {@link close}. At most once. */
  answer(server: Server): void
  /** Nothing inside can connect from now on. Idempotent; connections that there are stay. */
  close(): void
}

/** A handle as Node hands it from process to process: its types do not tell that it can be closed. */
interface RawHandle {
  close(): void
}

/** @param handle - A bare one, of no server yet. */
export function createDoor(handle: SendHandle): Door {
  let server: Server | undefined
  let closed = false
  return {
    answer(taker) {
      if (closed || server !== undefined) return
      server = taker
      server.listen(handle)
    },
    close() {
      if (closed) return
      closed = true
      if (server === undefined) (handle as RawHandle).close()
      else server.close()
    }
  }
}
