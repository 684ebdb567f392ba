import { HearthError } from '@hearth/shared'

/** What the model has in a member's place. */
type ModelType = 'String' | 'Integer' | 'Double' | 'Boolean' | 'list' | 'structure'

/** Zod's words for types. */
const TYPES: Readonly<Record<string, ModelType>> = {
  string: 'String',
  // The weights of an alias are the model's only fractions.
  int: 'Integer',
  number: 'Integer',
  boolean: 'Boolean',
  array: 'list',
  object: 'structure',
  record: 'structure'
}

/**
 * A value of another type than the model's: AWS's parser refuses it before anything looks at the request, and says which
 * token it met, not where. It is none of the service's own exceptions, so the body has no `Type`.
 *
 * The words are those that callers of AWS report; the service model has none.
 *
 * @param expected - In zod's words.
 * @param path - The member's.
 */
export function wrongType(expected: string, value: unknown, path: readonly PropertyKey[]): HearthError {
  const type = path.includes('AdditionalVersionWeights') && expected === 'number' ? 'Double' : TYPES[expected]
  return notParsed(sentence(type ?? 'String', value))
}

export function notParsed(message: string): HearthError {
  return new HearthError('INVALID_PAYLOAD', message, { awsCode: 'SerializationException', awsUntyped: true })
}

function sentence(expected: ModelType, value: unknown): string {
  if (Array.isArray(value)) return 'Start of list found where not expected'
  if (typeof value === 'object') return 'Start of structure or map found where not expected.'
  if (expected === 'list') return 'Expected list or null'
  if (expected === 'structure') return 'Expected null'
  return `${tokenOf(value)} can not be converted to ${expected === 'Integer' ? 'an' : 'a'} ${expected}`
}

function tokenOf(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'TRUE_VALUE' : 'FALSE_VALUE'
  return typeof value === 'number' ? 'NUMBER_VALUE' : 'STRING_VALUE'
}
