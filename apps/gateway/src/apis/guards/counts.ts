import { Counter, type Registry } from 'prom-client'
import type { Verdict } from '../guard.ts'

/** What is counted of requests that guards decide about. */
export interface GuardCounts {
  /** @param type - Who was asked: `jwt`, `lambda`, `key` */
  decided(type: 'jwt' | 'lambda' | 'key', verdict: Verdict): void
  /** A key set of an issuer was asked for. */
  keysLoaded(isLoaded: boolean): void
}

const RESULTS = { 401: 'unauthorized', 403: 'forbidden', 429: 'throttled', 500: 'failed' } as const

export function createGuardCounts(registers: Registry[]): GuardCounts {
  const decisions = new Counter({
    name: 'hearth_api_authorizations_total',
    help: 'Requests for routes of APIs that a JWT or Lambda authorizer, or an API key, decided about.',
    labelNames: ['type', 'result'],
    registers
  })
  const loads = new Counter({
    name: 'hearth_api_key_set_loads_total',
    help: 'Key sets that were asked of issuers of tokens.',
    labelNames: ['result'],
    registers
  })
  return {
    decided(type, verdict) {
      decisions.inc({ type, result: verdict.isAllowed ? 'allowed' : RESULTS[verdict.status] })
    },
    keysLoaded(isLoaded) {
      loads.inc({ result: isLoaded ? 'loaded' : 'failed' })
    }
  }
}
