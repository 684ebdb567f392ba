import { HearthError } from '@hearth/shared'
import type { EventQueue, Receipt } from '@hearth/store'
import type { FireEvent, Firing } from '../firing.ts'
import type { BusEvent } from './new-event.ts'
import { firingsOf } from './put-events.ts'
import type { RuleTable } from './rule-table.ts'

export interface BusDoorOptions {
  readonly queue: Pick<EventQueue, 'receive'>
  readonly table: Pick<RuleTable, 'busOf'>
  readonly fire: FireEvent
  /** In the archives that want it; undefined: none does. */
  readonly keep: (
    bus: string,
    event: BusEvent,
    eventAt: number,
    receipt: Receipt | undefined
  ) => Promise<void> | undefined
  readonly traceId: (requestId: string, sent: string | undefined) => string
}

/** What rules of the bus make of an event. @returns undefined when there is no such bus */
export function firingsOnBus(
  { table, traceId }: Pick<BusDoorOptions, 'table' | 'traceId'>,
  bus: string,
  event: BusEvent,
  at: number
): readonly Firing[] | undefined {
  return table
    .busOf(bus)
    ?.find(event.value)
    .flatMap((rule) => firingsOf(rule, event, at, traceId(event.id, undefined)))
}

/**
 * Puts what rules have made of an event where it belongs, and the event into archives, all of it or nothing. Resolves when
 * it is on disk.
 *
 * @param at - Unix time in ms
 * @param receipt - Of a sender who may send it again
 * @returns the id of the first of its delivery where this is not the first: nothing was done then
 * @throws HearthError QUEUE_UNAVAILABLE; nothing was accepted then
 */
export async function putOnce(
  { queue, keep, fire }: Pick<BusDoorOptions, 'queue' | 'keep' | 'fire'>,
  bus: string,
  event: BusEvent,
  firings: readonly Firing[],
  at: number,
  receipt: Receipt | undefined
): Promise<string | undefined> {
  // All of it is asked for in one turn, so it is one transaction.
  const received = receipt === undefined ? undefined : queue.receive(receipt, at).catch(refuse)
  const kept = keep(bus, event, at, receipt)?.catch(refuse)
  const [firstId] = await Promise.all([
    received,
    kept,
    ...firings.map((firing) => fire(receipt === undefined ? firing : { ...firing, receipt }))
  ])
  return firstId
}

function refuse(cause: unknown): never {
  throw new HearthError('QUEUE_UNAVAILABLE', 'Nothing was accepted: the queue cannot be written now.', { cause })
}
