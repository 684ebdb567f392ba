import { HearthError } from '@hearth/shared'
import type { z } from 'zod'
import { joinMembers, measure, patternText, valueAt } from '../http/constraint-words.ts'

/**
 * Checks parameters against the API model and answers what breaks it in IAM's sentences: those of the other services
 * without the value, so that no part of a document is repeated.
 *
 * @throws HearthError VALIDATION_FAILED
 * @see reference: IAM §4.3
 */
export function checkParameters<Schema extends z.ZodType>(
  schema: Schema,
  members: Readonly<Record<string, unknown>>
): z.output<Schema> {
  const parsed = schema.safeParse(members)
  if (parsed.success) return parsed.data
  const clauses = parsed.error.issues.map((issue) => {
    const missing = valueAt(members, issue.path) === undefined
    return `Value ${missing ? 'null ' : ''}at '${pathOf(issue.path)}' failed to satisfy constraint: ${missing ? 'Member must not be null' : constraintOf(issue)}`
  })
  const count = clauses.length
  throw new HearthError(
    'VALIDATION_FAILED',
    `${count} validation error${count === 1 ? '' : 's'} detected: ${clauses.join('; ')}`
  )
}

function constraintOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_format':
      return `Member must satisfy regular expression pattern: ${patternText(issue.pattern)}`
    case 'invalid_value':
      return 'Member must satisfy enum value set'
    case 'too_big':
      return `Member must have ${measure(issue.origin)} less than or equal to ${issue.maximum}`
    case 'too_small':
      return `Member must have ${measure(issue.origin)} greater than or equal to ${issue.minimum}`
    default:
      return issue.message
  }
}

/** `Tags.0.Key` → `tags.1.member.key`, as AWS counts. */
function pathOf(path: readonly PropertyKey[]): string {
  return joinMembers(path.map((part) => (typeof part === 'number' ? `${part + 1}.member` : String(part))))
}
