import type { Drafts } from './drafts.ts'
import { badRequest, notFound } from './refusals.ts'

type Tags = Readonly<Record<string, string>>

/** Source: API Gateway's model and AWS's rules for tags. */
const LIMITS = { tags: 50, keyChars: 128, valueChars: 256 }

/** @throws HearthError INVALID_REQUEST */
export function checkTags(tags: Tags): void {
  for (const [key, value] of Object.entries(tags)) {
    if (key === '' || key.length > LIMITS.keyChars || value.length > LIMITS.valueChars) {
      throw badRequest(
        `Invalid tag ${key}: keys have 1 to ${LIMITS.keyChars} characters, values up to ${LIMITS.valueChars}.`
      )
    }
    if (key.toLowerCase().startsWith('aws:')) throw badRequest(`Invalid tag ${key}: aws: is reserved.`)
  }
  if (Object.keys(tags).length > LIMITS.tags) throw badRequest(`A resource may have ${LIMITS.tags} tags.`)
}

/** Tags of APIs, stages and domains, by ARN. */
export interface ResourceTags {
  /** @throws HearthError RESOURCE_NOT_FOUND */
  get(arn: string): Tags
  add(arn: string, tags: Tags): void
  remove(arn: string, keys: readonly string[]): void
}

export function createResourceTags(drafts: Drafts): ResourceTags {
  const { repository, scope, exclusively } = drafts

  function find(arn: string): { readonly tags: Tags; put(tags: Tags): void } {
    const start = `arn:aws:apigateway:${scope.region}::/`
    const [kind = '', id = '', ...rest] = arn.startsWith(start) ? arn.slice(start.length).split('/') : []
    if (kind === 'apis' && rest.length === 0) {
      const api = drafts.get(id)
      return { tags: api.tags, put: (tags) => repository.put({ ...api, tags }) }
    }
    if (kind === 'apis' && rest.length === 2 && rest[0] === 'stages') {
      const stage = drafts.part(id, 'stage', rest[1]!)
      return { tags: stage.tags, put: (tags) => repository.putPart(id, 'stage', { ...stage, tags }) }
    }
    const domain = kind === 'domainnames' && rest.length === 0 ? repository.findDomain(id) : undefined
    if (domain === undefined) throw notFound(`Invalid resource identifier specified: ${arn}`)
    return { tags: domain.tags, put: (tags) => repository.putDomain({ ...domain, tags }) }
  }

  const change = (arn: string, work: (tags: Tags) => Tags): void => {
    exclusively(() => {
      const { tags, put } = find(arn)
      const wanted = work(tags)
      checkTags(wanted)
      put(wanted)
    })
  }
  return {
    get: (arn) => find(arn).tags,
    add: (arn, tags) => {
      change(arn, (before) => ({ ...before, ...tags }))
    },
    remove: (arn, keys) => {
      change(arn, (before) => Object.fromEntries(Object.entries(before).filter(([key]) => !keys.includes(key))))
    }
  }
}
