import { HearthError } from '@hearth/shared'
import type { z } from 'zod'
import { joinMembers, measure, patternText, valueAt } from '../http/constraint-words.ts'
import { invalid } from './refusals.ts'

/** Longer values are not repeated. */
const SHOWN_CHARS = 1_024

/**
 * Checks members against the service's model. Unlike those of other services its sentences repeat the value.
 *
 * @throws HearthError INVALID_PAYLOAD for a value of another type, VALIDATION_FAILED (InvalidParameterException)
 * @see reference: CloudWatch Logs §2.3
 */
export function checkLogsMembers<Schema extends z.ZodType>(
  schema: Schema,
  members: Readonly<Record<string, unknown>>
): z.output<Schema> {
  const parsed = schema.safeParse(members)
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  const other = issues.find(({ code, path }) => code === 'invalid_type' && isThere(valueAt(members, path)))
  if (other !== undefined) {
    throw new HearthError(
      'INVALID_PAYLOAD',
      `The member ${other.path.join('.')} has another type than the API model says.`
    )
  }
  if (issues.some((issue) => issue.code === 'too_big' && issue.origin === 'string' && isName(issue.path.at(-1)))) {
    throw invalid('Invalid LogGroup or LogStream, both must have length less than or equal to 512.')
  }
  const clauses = issues.map((issue) => {
    const value = valueAt(members, issue.path)
    return `Value ${shown(value)} at '${joinMembers(issue.path.map(partOf))}' failed to satisfy constraint: ${
      isThere(value) ? constraintOf(issue) : 'Member must not be null'
    }`
  })
  const count = clauses.length
  throw invalid(`${count} validation error${count === 1 ? '' : 's'} detected: ${clauses.join('; ')}`)
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null
}

function isName(member: unknown): boolean {
  return member === 'logGroupName' || member === 'logStreamName'
}

function partOf(part: PropertyKey): string {
  return typeof part === 'number' ? `${part + 1}.member` : String(part)
}

function shown(value: unknown): string {
  if (!isThere(value)) return 'null'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return `'${text.slice(0, SHOWN_CHARS)}'`
}

function constraintOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_format':
      return `Member must satisfy regular expression pattern: ${patternText(issue.pattern)}`
    case 'invalid_value':
      return `Member must satisfy enum value set: [${issue.values.map(String).join(', ')}]`
    case 'too_big':
      return `Member must have ${measure(issue.origin)} less than or equal to ${issue.maximum}`
    case 'too_small':
      return `Member must have ${measure(issue.origin)} greater than or equal to ${issue.minimum}`
    default:
      return issue.message
  }
}
