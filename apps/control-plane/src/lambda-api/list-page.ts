import { HearthError } from '@hearth/shared'
import { checkModel } from './constraints.ts'
import { ListRequest } from './model.ts'
import type { OperationCall } from './operation.ts'

/** However much is asked for. Source: Lambda API reference, List operations. */
const PAGE = 50

/** A page of a list in order of a text that each of its items has, with AWS's `Marker` and `NextMarker`. */
export function listPage<Item>(
  { query }: OperationCall,
  read: (after: string, limit: number) => readonly Item[],
  keyOf: (item: Item) => string
): { readonly items: readonly Item[]; readonly next: { readonly NextMarker?: string } } {
  const maxItems = query['MaxItems']
  const request = checkModel(ListRequest, {
    ...query,
    ...(maxItems === undefined ? {} : { MaxItems: Number(maxItems) })
  })
  const limit = Math.min(request.MaxItems ?? PAGE, PAGE)
  const found = read(afterOf(request.Marker), limit + 1)
  const items = found.slice(0, limit)
  const last = found.length > limit ? items.at(-1) : undefined
  return { items, next: last === undefined ? {} : { NextMarker: toMarker(keyOf(last)) } }
}

function toMarker(key: string): string {
  return Buffer.from(`1:${key}`).toString('base64url')
}

function afterOf(marker: string | undefined): string {
  if (marker === undefined || marker === '') return ''
  const key = Buffer.from(marker, 'base64url').toString('utf8').slice(2)
  if (key === '' || toMarker(key) !== marker)
    throw new HearthError('INVALID_REQUEST', 'Marker: not one that this server gave out')
  return key
}
