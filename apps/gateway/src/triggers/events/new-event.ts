import { randomUUID } from 'node:crypto'
import type { ArnScope } from '@hearth/shared'

/** An event on a bus. */
export interface BusEvent {
  readonly id: string
  /** JSON. */
  readonly text: string
  /** The same, for patterns. */
  readonly value: object
}

export interface EventMembers {
  readonly id?: string
  readonly source: string
  readonly detailType: string
  /** Unix time in ms; told to the second. */
  readonly time: number
  readonly resources: readonly string[]
  /** JSON text of an object: it stays as it is, byte for byte. */
  readonly detail: string
}

/** @throws SyntaxError when the detail is no JSON */
export function newBusEvent(scope: ArnScope, members: EventMembers): BusEvent {
  const { id = randomUUID(), source, detailType, time, resources, detail } = members
  const head = {
    version: '0',
    id,
    'detail-type': detailType,
    source,
    account: scope.accountId,
    time: `${new Date(time).toISOString().slice(0, 19)}Z`,
    region: scope.region,
    resources
  }
  const value = { ...head, detail: JSON.parse(detail) as unknown }
  return { id, text: `${JSON.stringify(head).slice(0, -1)},"detail":${detail}}`, value }
}
