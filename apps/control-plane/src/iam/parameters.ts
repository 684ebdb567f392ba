import { z } from 'zod'
import {
  ENTITY_NAME,
  ENTITY_PATH,
  MAX_SESSION_S,
  POLICY_PATH,
  POLICY_VERSION_ID,
  TAG_KEY,
  TAG_VALUE
} from '../access/names.ts'
import { tagItem } from '../access/tags.ts'
import type { RequestContext } from '../query/operation.ts'

// Constraints of IAM's service model. Everything arrives as text.

export const NewName = z.string().min(1).max(64).regex(ENTITY_NAME)
/** Of a user that is there: names were longer once. */
export const ExistingName = z.string().min(1).max(128).regex(ENTITY_NAME)
export const PolicyName = z.string().min(1).max(128).regex(ENTITY_NAME)
export const Path = z.string().min(1).max(512).regex(ENTITY_PATH)
export const PolicyPath = z.string().min(1).max(512).regex(POLICY_PATH)
export const PathPrefix = z
  .string()
  .min(1)
  .max(512)
  .regex(/^\/[\u0021-\u007f]*$/)
export const Arn = z.string().min(20).max(2_048)
export const Document = z.string().min(1).max(131_072)
export const Description = z
  .string()
  .max(1_000)
  .regex(/^[\u0009\u000a\u000d\u0020-\u007e\u00a1-\u00ff]*$/)
export const PolicyDescription = z.string().max(1_000)
export const VersionId = z.string().regex(POLICY_VERSION_ID)
export const AccessKeyId = z.string().min(16).max(128).regex(/^\w+$/)

export const whole = (schema: z.ZodNumber) =>
  z
    .string()
    .transform((text, context) => {
      if (/^-?\d{1,9}$/.test(text)) return Number(text)
      context.addIssue({ code: 'custom', message: 'Member must be a whole number' })
      return z.NEVER
    })
    .pipe(schema)

export const MaxSessionDuration = whole(z.number().min(MAX_SESSION_S.min).max(MAX_SESSION_S.max))
export const Flag = z.enum(['true', 'false']).transform((text) => text === 'true')

export const PageInput = {
  Marker: z.string().min(1).max(8_192).optional(),
  MaxItems: whole(z.number().min(1).max(1_000)).default(100)
}

/** An empty list is sent as an empty text. */
const list = <Item extends z.ZodType>(item: Item) =>
  z.preprocess((value) => (value === '' ? [] : value), z.array(item).max(50))

const TagKey = z.string().min(1).max(128).regex(TAG_KEY)

export const Tags = list(tagItem(z.string().max(256).regex(TAG_VALUE), TagKey))
export const TagKeys = list(TagKey)

/** Condition keys of tags that are sent along. */
export function tagContext(tags: readonly { readonly key: string; readonly value: string }[] = []): RequestContext {
  if (tags.length === 0) return {}
  return {
    ...Object.fromEntries(tags.map(({ key, value }) => [`aws:RequestTag/${key}`, value])),
    'aws:TagKeys': tags.map(({ key }) => key)
  }
}

export function boundaryContext(policyArn: string | undefined): RequestContext {
  return policyArn === undefined ? {} : { 'iam:PermissionsBoundary': policyArn }
}
