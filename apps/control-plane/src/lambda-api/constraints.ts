import { HearthError } from '@hearth/shared'
import type { z } from 'zod'
import { joinMembers, measure, patternText, valueAt } from '../http/constraint-words.ts'
import { wrongType } from './wrong-type.ts'

/**
 * Checks input against the API model and answers what breaks it in AWS's sentences.
 *
 * @throws HearthError VALIDATION_FAILED for a broken constraint, INVALID_PAYLOAD for a value of another type
 * @see reference: Lambda control API §1, grammar of ValidationException
 */
export function checkModel<Schema extends z.ZodType>(
  schema: Schema,
  input: Readonly<Record<string, unknown>>
): z.output<Schema> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const clauses: string[] = []
  for (const issue of parsed.error.issues) {
    const value = valueAt(input, issue.path)
    const constraint = constraintOf(issue, value)
    if (constraint === undefined) {
      throw wrongType(issue.code === 'invalid_type' ? issue.expected : 'string', value, issue.path)
    }
    clauses.push(elementClause(input, issue.path, constraint) ?? clause(value, issue.path, constraint))
  }
  throw validationFailed(clauses)
}

/** AWS speaks of a list as a whole when one of its members breaks a constraint. @returns undefined for no such member */
function elementClause(input: unknown, path: readonly PropertyKey[], constraint: string): string | undefined {
  if (typeof path.at(-1) !== 'number') return undefined
  const list = path.slice(0, -1)
  return clause(valueAt(input, list), list, `Member must satisfy constraint: [${constraint}]`)
}

/** `1 validation error detected: …` of ready clauses. */
export function validationFailed(clauses: readonly string[]): HearthError {
  const count = clauses.length
  return new HearthError(
    'VALIDATION_FAILED',
    `${count} validation error${count === 1 ? '' : 's'} detected: ${clauses.join('; ')}`
  )
}

export function clause(value: unknown, path: readonly PropertyKey[], constraint: string): string {
  const shown = value === undefined || value === null ? 'null' : `'${show(value)}'`
  return `Value ${shown} at '${pathOf(path)}' failed to satisfy constraint: ${constraint}`
}

/** @returns undefined when the value is of another type than the model's */
function constraintOf(issue: z.core.$ZodIssue, value: unknown): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return value === undefined || value === null ? 'Member must not be null' : undefined
    case 'invalid_format':
      return `Member must satisfy regular expression pattern: ${patternText(issue.pattern)}`
    case 'invalid_value':
      if (typeof value !== 'string')
        return value === undefined || value === null ? 'Member must not be null' : undefined
      return `Member must satisfy enum value set: [${issue.values.map(String).join(', ')}]`
    case 'too_big':
      return `Member must have ${measure(issue.origin)} less than or equal to ${issue.maximum}`
    case 'too_small':
      return `Member must have ${measure(issue.origin)} greater than or equal to ${issue.minimum}`
    case 'invalid_key': {
      const [inner] = issue.issues
      const constraint = inner === undefined ? undefined : constraintOf(inner, issue.path.at(-1))
      return constraint === undefined ? undefined : `Map keys must satisfy constraint: [${constraint}]`
    }
    case 'invalid_element':
    case 'invalid_union':
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'custom':
      return undefined
  }
}

/** `Environment.Variables` → `environment.variables`. */
function pathOf(path: readonly PropertyKey[]): string {
  return joinMembers(path.map(String))
}

/** Java's way of printing, which is what AWS's messages show: `[a, b]`, `{k=v}`. */
function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, inner]) => `${key}=${show(inner)}`)
      .join(', ')}}`
  }
  return String(value)
}
