import type { ConcurrencyStats } from '@hearth/executor'
import { Counter, Gauge, type Registry } from 'prom-client'

/** Series of what may run at once, and what does; read at every scrape. */
export function observeConcurrency(registers: Registry[], read: () => ConcurrencyStats): void {
  const gauge = (name: string, help: string, value: (stats: ConcurrencyStats) => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value(read()))
      }
    })
  }
  gauge('hearth_concurrency_limit', 'Events that may be in flight at once, over all functions.', (s) => s.limit)
  gauge('hearth_concurrency_in_use', 'Events in flight, over all functions.', (s) => s.inUse)
  gauge(
    'hearth_concurrency_unreserved',
    'What functions without reserved concurrency share.',
    ({ unreserved }) => unreserved
  )
  new Gauge({
    name: 'hearth_reserved_concurrency',
    help: 'Reserved concurrency; 0: the function is switched off.',
    labelNames: ['function'],
    registers,
    collect() {
      this.reset()
      for (const { functionName, reserved } of read().reserved) this.set({ function: functionName }, reserved)
    }
  })
  new Gauge({
    name: 'hearth_reserved_concurrency_in_use',
    help: 'Events in flight of functions with reserved concurrency.',
    labelNames: ['function'],
    registers,
    collect() {
      this.reset()
      for (const { functionName, inUse } of read().reserved) this.set({ function: functionName }, inUse)
    }
  })
  new Gauge({
    name: 'hearth_provisioned_concurrency',
    help: 'Provisioned concurrency of all versions: instances requested, those ready, events in flight on them.',
    labelNames: ['function', 'state'],
    registers,
    collect() {
      this.reset()
      for (const { functionName, requested, available, inUse } of read().provisioned) {
        this.inc({ function: functionName, state: 'requested' }, requested)
        this.inc({ function: functionName, state: 'ready' }, available)
        this.inc({ function: functionName, state: 'in_use' }, inUse)
      }
    }
  })
  new Counter({
    name: 'hearth_provisioned_concurrency_spillovers_total',
    help: 'Events that found all of their version’s provisioned concurrency in use.',
    labelNames: ['function'],
    registers,
    collect() {
      this.reset()
      for (const { functionName, spilled } of read().provisioned) {
        this.inc({ function: functionName }, spilled)
      }
    }
  })
  new Counter({
    name: 'hearth_concurrency_throttles_total',
    help: 'Events refused, synchronous or not, by the limit that was met.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset()
      for (const [reason, count] of Object.entries(read().throttles)) this.inc({ reason }, count)
    }
  })
}
