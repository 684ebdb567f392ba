import { HearthError } from '@hearth/shared'
import type { Tag, Tags } from '../access/tags.ts'
import type { RequestContext } from '../query/operation.ts'

const MAX_TAGS = 50

/**
 * As tags are on secrets and parameters: keys that differ in case alone are different ones, unlike IAM's.
 *
 * @throws HearthError INVALID_SECRET, LIMIT_EXCEEDED
 */
export function addTags(tags: Tags, added: readonly Tag[], awsCode?: string): Tags {
  const merged = new Map(Object.entries(tags))
  for (const { key, value } of added) {
    if (key.toLowerCase().startsWith('aws:')) {
      throw new HearthError('INVALID_SECRET', 'Tag keys that begin with aws: are not for users.', {
        ...(awsCode === undefined ? {} : { awsCode })
      })
    }
    merged.set(key, value)
  }
  if (merged.size > MAX_TAGS) throw new HearthError('LIMIT_EXCEEDED', `A resource can have ${MAX_TAGS} tags at most.`)
  return Object.fromEntries(merged)
}

export function removeTags(tags: Tags, keys: readonly string[]): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key)))
}

/** Condition keys of the tags that a resource has. @param prefixes - `aws:ResourceTag`, … */
export function resourceTagContext(tags: Tags, ...prefixes: readonly string[]): RequestContext {
  return Object.fromEntries(
    prefixes.flatMap((prefix) => Object.entries(tags).map(([key, value]) => [`${prefix}/${key}`, value]))
  )
}
