import { randomUUID } from 'node:crypto'
import { type ArnScope, DEFAULT_BUS, HearthError } from '@hearth/shared'
import { newBusEvent } from './new-event.ts'
import { depthOf, MAX_DETAIL_DEPTH } from './put-events.ts'
import { type BusDoorOptions, firingsOnBus, putOnce } from './put-once.ts'

/** An event that this server itself has to tell: `aws.cloudwatch` says that an alarm is in another state. */
export interface PlatformEvent {
  /** Lower-case UUID. Put again with the same one, it is one event. */
  readonly id: string
  readonly source: string
  readonly detailType: string
  readonly resources: readonly string[]
  readonly detail: object
}

/** How long an id is remembered, in ms. */
const REMEMBERED_MS = 86_400_000
const MAX_BYTES = 262_144

/**
 * Puts an event on the default bus. Resolves when what follows from it is on disk.
 *
 * @param at - Unix time in ms
 * @throws HearthError INVALID_PAYLOAD, QUEUE_UNAVAILABLE, CONTROL_PLANE_UNAVAILABLE before the rules are known
 */
export async function putPlatformEvent(
  options: BusDoorOptions & { readonly scope: ArnScope },
  { id, source, detailType, resources, detail: value }: PlatformEvent,
  at: number
): Promise<void> {
  const detail = JSON.stringify(value)
  const event = newBusEvent(options.scope, { id, source, detailType, time: at, resources, detail })
  if (Buffer.byteLength(event.text) > MAX_BYTES || depthOf(detail) > MAX_DETAIL_DEPTH) {
    throw new HearthError('INVALID_PAYLOAD', 'The event is larger or deeper than events may be.')
  }
  const firings = firingsOnBus(options, DEFAULT_BUS, event, at)
  if (firings === undefined) {
    throw new HearthError('CONTROL_PLANE_UNAVAILABLE', 'The server is starting: its database is not there yet.')
  }
  const receipt = { key: `platform/${id}`, id: randomUUID(), expiresAt: at + REMEMBERED_MS }
  await putOnce(options, DEFAULT_BUS, event, firings, at, receipt)
}
