import { z } from 'zod'
import { badRequest } from './refusals.ts'

// What API Gateway's service model says of values.

export const Name = z.string().min(1).max(128)
export const Description = z.string().max(1_024)
export const Uri = z.string().min(1).max(2_048)
/** In changes an empty one takes away what there was. */
export const RoleArn = z.union([
  z.literal(''),
  z
    .string()
    .max(2_048)
    .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[^\s*]+$/, { error: 'must be the ARN of a role' })
])
export const Tags = z.record(z.string(), z.string())
/** Members that this server does not honour: what says nothing is taken, as deploy tools send it. */
export const Unserved = z.unknown().optional()

/**
 * @param input - Members as they came
 * @throws HearthError INVALID_REQUEST, naming each member that is wrong
 */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => {
    const where = issue.path.map(String).join('.')
    return where === '' ? issue.message : `Invalid value for ${where}: ${issue.message}`
  })
  throw badRequest(`${faults.join('; ')}.`, parsed.error.issues[0]?.path.map(String).join('.'))
}

/** Whether a member says nothing: nothing is there, or nothing is in it. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** @returns ISO 8601, without fractions, as AWS's clients read it */
export function isoSeconds(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
}
