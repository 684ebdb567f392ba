import { type ArnScope, HearthError } from '@hearth/shared'

const NAME = /^[a-zA-Z0-9_.\-/]+$/
const MAX_CHARS = 1_011
const MAX_LEVELS = 15

/** What a caller names: a parameter, and one of its versions if he wants that. */
export interface ParameterRef {
  readonly name: string
  /** A version's number, or one of its labels; undefined: the newest. */
  readonly selector: string | undefined
}

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html */
export function parameterArn(scope: ArnScope, name: string): string {
  return `arn:aws:ssm:${scope.region}:${scope.accountId}:parameter/${name.replace(/^\//, '')}`
}

/**
 * Reads `name`, `name:3`, `name:label`, or an ARN in the place of the name.
 */
export function parseParameterRef(scope: ArnScope, text: string): ParameterRef {
  const prefix = `arn:aws:ssm:${scope.region}:${scope.accountId}:parameter/`
  const isArn = text.startsWith(prefix)
  const rest = isArn ? text.slice(prefix.length) : text
  const colon = rest.indexOf(':')
  const name = colon < 0 ? rest : rest.slice(0, colon)
  // Only names with levels begin with a slash, which the ARN does not tell apart.
  return {
    name: isArn && name.includes('/') ? `/${name}` : name,
    selector: colon < 0 ? undefined : rest.slice(colon + 1)
  }
}

/**
 * Whether a parameter may be called so.
 *
 * @throws HearthError VALIDATION_FAILED, or one of the service's own
 * @see reference: SSM PutParameter, `Name`
 */
export function checkParameterName(name: string): void {
  if (!NAME.test(name)) {
    throw invalid(
      'Parameter name: can only include the following characters: letters, digits, and the symbols .-_ and / between levels.'
    )
  }
  if (name.length > MAX_CHARS) throw invalid(`Parameter name: can have ${MAX_CHARS} characters at most.`)
  if (/^\/?(aws|ssm)/i.test(name)) {
    throw invalid('Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).')
  }
  if (name.includes('/') && !name.startsWith('/')) throw invalid('Parameter name must be a fully qualified name.')
  if (name.includes('//') || name.endsWith('/')) throw invalid('Parameter name: a level must have a name.')
  if (name.split('/').length - 1 > MAX_LEVELS) {
    throw new HearthError('VALIDATION_FAILED', `A hierarchy can have ${MAX_LEVELS} levels at most.`, {
      awsCode: 'HierarchyLevelLimitExceededException'
    })
  }
}

function invalid(message: string): HearthError {
  return new HearthError('VALIDATION_FAILED', message)
}
