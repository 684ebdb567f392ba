import { createHash } from 'node:crypto'
import { z } from 'zod'

/** The bus or group that is meant where none is said. */
const USUAL = 'default'

/** A trigger of a kind whose names are unique in a bus, or in a group. */
export interface Placed {
  readonly place: string
  readonly name: string
}

export const PlaceName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[.\-_A-Za-z0-9]+$/)

/** One text for both: the name alone where the place is the usual one. */
export function toKey(place: string | undefined, name: string): string {
  return place === undefined || place === USUAL ? name : `${place}/${name}`
}

export function fromKey(key: string): Placed {
  const at = key.indexOf('/')
  return at === -1 ? { place: USUAL, name: key } : { place: key.slice(0, at), name: key.slice(at + 1) }
}

/** Where a list goes on after a key; '' is its beginning. */
export function afterKey(key: string): Placed {
  return key === '' ? { place: '', name: '' } : fromKey(key)
}

/** Names the statement of a function's policy that lets a trigger in. What a statement's id cannot have stands as a hash. */
export function statementFor(kind: string, key: string): string {
  const isPlain = /^[\w-]+$/.test(key)
  return `hearth-${kind}-${isPlain ? key : createHash('sha256').update(key).digest('hex')}`
}
