import { HearthError } from './errors.ts'

/** Bare function names. Source: Lambda service model, type FunctionName, with the bare name's limit of 64. */
export const FUNCTION_NAME = /^[a-zA-Z0-9-_]{1,64}$/

/** The whole of what AWS accepts where it says FunctionName: name, name:qualifier, partial ARN, full ARN. */
export const NAMESPACED_FUNCTION_NAME =
  '(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?'
/** Source: Lambda service model, type NumericLatestPublishedOrAliasQualifier. */
const QUALIFIER = '\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+'
const WHOLE_QUALIFIER = new RegExp(`^(?:${QUALIFIER})$`)
const NAMESPACED = new RegExp(`^${NAMESPACED_FUNCTION_NAME}$`)

export interface FunctionRef {
  readonly name: string
  /** As given: a version number, an alias, `$LATEST`, or undefined. */
  readonly qualifier: string | undefined
}

/** What of an ARN belongs to this server. */
export interface ArnScope {
  readonly region: string
  /** 12 digits. */
  readonly accountId: string
}

export function functionArn(scope: ArnScope, name: string, qualifier?: string): string {
  const arn = `arn:aws:lambda:${scope.region}:${scope.accountId}:function:${name}`
  return qualifier === undefined ? arn : `${arn}:${qualifier}`
}

/**
 * Reads a function reference in any form that AWS accepts, checking in AWS's order (pattern, region, account,
 * length of the bare name, agreement of the two qualifiers).
 *
 * @param text - The path segment, percent-decoded.
 * @param qualifier - The `Qualifier` query member, if any.
 * @throws HearthError VALIDATION_FAILED, FUNCTION_NOT_FOUND, ACCESS_DENIED, INVALID_REQUEST
 * @see reference: Lambda control API §2
 */
export function parseFunctionRef(scope: ArnScope, text: string, qualifier?: string): FunctionRef {
  if (qualifier !== undefined) checkQualifier(qualifier)
  // The common case first: a bare name needs no ARN logic.
  if (FUNCTION_NAME.test(text)) return { name: text, qualifier }
  if (!NAMESPACED.test(text)) {
    throw new HearthError(
      'VALIDATION_FAILED',
      `1 validation error detected: Value '${text}' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: ${NAMESPACED_FUNCTION_NAME}`
    )
  }
  if (text.length > 140) throw tooLong('VALIDATION_FAILED', text, 140)
  const parts = text.split(':')
  if (parts[0] === 'arn') {
    const region = parts[3] ?? ''
    if (region !== scope.region) {
      throw new HearthError(
        'FUNCTION_NOT_FOUND',
        `Functions from '${region}' are not reachable in this region ('${scope.region}')`
      )
    }
    parts.splice(0, 4)
  }
  if (/^\d{12}$/.test(parts[0] ?? '') && parts.length > 1) {
    if (parts.shift() !== scope.accountId) throw new HearthError('ACCESS_DENIED', '')
  }
  if (parts[0] === 'function' && parts.length > 1) parts.shift()
  const [name = '', own] = parts
  if (name.length > 64) throw tooLong('INVALID_REQUEST', name, 64)
  if (!FUNCTION_NAME.test(name))
    throw new HearthError('FUNCTION_NOT_FOUND', `Function not found: ${functionArn(scope, name)}`)
  if (own !== undefined && qualifier !== undefined && own !== qualifier) {
    throw new HearthError(
      'INVALID_REQUEST',
      'The derived qualifier from the function name does not match the specified qualifier.'
    )
  }
  return { name, qualifier: own ?? qualifier }
}

function checkQualifier(qualifier: string): void {
  const problem =
    qualifier.length > 128
      ? 'Member must have length less than or equal to 128'
      : WHOLE_QUALIFIER.test(qualifier)
        ? undefined
        : `Member must satisfy regular expression pattern: ${QUALIFIER}`
  if (problem === undefined) return
  throw new HearthError(
    'VALIDATION_FAILED',
    `1 validation error detected: Value '${qualifier}' at 'qualifier' failed to satisfy constraint: ${problem}`
  )
}

function tooLong(code: 'VALIDATION_FAILED' | 'INVALID_REQUEST', value: string, max: number): HearthError {
  return new HearthError(
    code,
    `1 validation error detected: Value '${value}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to ${max}`
  )
}
