import { Counter, Gauge, type Registry } from 'prom-client'

/** How an attempt to connect ended. */
export type HandshakeResult = 'accepted' | 'refused' | 'failed' | 'full'

/** What is counted of WebSocket APIs. */
export interface SocketCounts {
  received(): void
  sent(): void
  handshake(result: HandshakeResult): void
  /** Asked at every scrape from now on. */
  observe(read: () => { readonly byApi: ReadonlyMap<string, number>; readonly limit: number }): void
}

/** APIs whose connections have a series of their own: those with most. */
const API_SERIES = 100

export function createSocketCounts(registers: Registry[]): SocketCounts {
  let received = 0
  let sent = 0
  new Counter({
    name: 'hearth_websocket_messages_total',
    help: 'Messages from clients (in) and to them (out).',
    labelNames: ['direction'],
    registers,
    collect() {
      this.reset()
      this.inc({ direction: 'in' }, received)
      this.inc({ direction: 'out' }, sent)
    }
  })
  const handshakes = new Counter({
    name: 'hearth_websocket_handshakes_total',
    help: 'Attempts to connect; refused: not allowed; failed: the function or authorizer of $connect failed; full: HEARTH_WEBSOCKET_CONNECTIONS.',
    labelNames: ['result'],
    registers
  })
  for (const result of ['accepted', 'refused', 'failed', 'full']) handshakes.inc({ result }, 0)
  return {
    received() {
      received += 1
    },
    sent() {
      sent += 1
    },
    handshake(result) {
      handshakes.inc({ result })
    },
    observe(read) {
      new Gauge({
        name: 'hearth_websocket_connections',
        help: 'Open connections of WebSocket APIs; those of most APIs add up in _other.',
        labelNames: ['api'],
        registers,
        collect() {
          this.reset()
          const byCount = [...read().byApi].sort((a, b) => b[1] - a[1])
          this.set({ api: '_other' }, 0)
          for (const [index, [api, count]] of byCount.entries()) {
            this.inc({ api: index < API_SERIES ? api : '_other' }, count)
          }
        }
      })
      new Gauge({
        name: 'hearth_websocket_connections_limit',
        help: 'Connections that there may be at once.',
        registers,
        collect() {
          this.set(read().limit)
        }
      })
    }
  }
}
