import { HearthError } from '@hearth/shared'
import { z } from 'zod'

export type Tags = Readonly<Record<string, string>>

/** One as it is asked for. */
export interface Tag {
  readonly key: string
  readonly value: string
}

const MAX_TAGS = 50

/**
 * Adds tags, or gives those that are there another value. Keys are the same in any case; the last spelling stays.
 *
 * @throws HearthError INVALID_REQUEST, LIMIT_EXCEEDED
 */
export function withTags(tags: Tags, added: readonly Tag[]): Tags {
  const merged = new Map(Object.entries(tags).map(([key, value]) => [key.toLowerCase(), [key, value] as const]))
  const names = new Set<string>()
  for (const { key, value } of added) {
    const name = key.toLowerCase()
    if (names.has(name)) {
      throw new HearthError(
        'INVALID_REQUEST',
        'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
        { awsCode: 'InvalidInput' }
      )
    }
    if (name.startsWith('aws:')) {
      throw new HearthError(
        'INVALID_REQUEST',
        'System tags prefixed by aws: are not allowed. Please refer to the documentation for tag key requirements.',
        { awsCode: 'InvalidInput' }
      )
    }
    names.add(name)
    merged.set(name, [key, value])
  }
  if (merged.size > MAX_TAGS) {
    throw new HearthError('LIMIT_EXCEEDED', `The number of tags has reached the maximum limit of ${MAX_TAGS}.`)
  }
  return Object.fromEntries(merged.values())
}

export function withoutTags(tags: Tags, keys: readonly string[]): Tags {
  const gone = new Set(keys.map((key) => key.toLowerCase()))
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key.toLowerCase())))
}

/** A tag in requests of AWS's clients; services differ in what a key and a value may be. */
export function tagItem(value: z.ZodType<string>, key: z.ZodType<string> = z.string().min(1).max(128)) {
  return z.object({ Key: key, Value: value }).transform(({ Key, Value }): Tag => ({ key: Key, value: Value }))
}

/** Tags in answers to AWS's clients. */
export function tagItems(tags: Tags): readonly { readonly Key: string; readonly Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
}
