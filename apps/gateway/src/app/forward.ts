import { HearthError } from '@hearth/shared'
import type { Hallway } from '../hallway.ts'
import type { Log } from '../log.ts'
import { insideOf } from '../platform/inside.ts'
import { createPlaces } from '../platform/places.ts'
import { createProxy, type Proxy } from '../proxy.ts'
import { toRefusal } from '../refusal.ts'
import { refuse } from '../respond.ts'
import { countAnswer, type Handle } from './mounts.ts'

export interface ForwardOptions {
  readonly hallway: Pick<Hallway, 'metrics' | 'expectations'>
  /** The control plane's. */
  readonly port: number
  /** What this process proves itself with; undefined until the database is there. */
  readonly proof: () => string | undefined
  readonly log: Pick<Log, 'warn'>
}

/** The way to the control plane, for all that is not served here. */
export interface Forward {
  readonly handle: Handle
  close(): void
}

/** Requests of one function that may be with the control plane at a time: all of them share its connections. */
const PROXIED_PER_FUNCTION = 16

export function createForward({ hallway, port, proof, log }: ForwardOptions): Forward {
  const { metrics, expectations } = hallway
  const openProxy = (): Proxy =>
    createProxy({
      host: '127.0.0.1',
      port,
      expectations,
      proof,
      onError(err, requestId) {
        log.warn({ err, requestId }, 'control plane does not answer')
      }
    })
  const proxy = openProxy()
  // With connections of its own: what functions ask for takes none from those outside.
  const functionProxy = openProxy()
  const places = createPlaces(PROXIED_PER_FUNCTION)
  const route = metrics.route('control-plane')
  return {
    handle(req, res, id) {
      countAnswer(metrics, route, req, res)
      const inside = insideOf(req)
      if (inside === undefined) proxy.forward(req, res, id)
      else if (places.take(inside)) {
        res.once('close', () => {
          places.give(inside)
        })
        functionProxy.forward(req, res, id)
      } else refuse(req, res, toRefusal(new HearthError('CAPACITY_EXHAUSTED', 'Rate Exceeded.'), 'aws', id))
    },
    close() {
      proxy.close()
      functionProxy.close()
    }
  }
}
