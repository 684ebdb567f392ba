import { type ArnScope, compilePolicy, functionArn, HearthError } from '@hearth/shared'
import {
  type AliasesRepository,
  type FunctionPoliciesRepository,
  type FunctionsRepository,
  LATEST,
  type PolicyStatement,
  type ResourcePolicy
} from '@hearth/store'
import { noPolicy, requireRevision, withoutStatement, withStatement } from './statements.ts'

/** A permission as it is asked for. */
export interface Permission {
  readonly statementId: string
  /** `lambda:InvokeFunction`, …, `*`. */
  readonly action: string
  /** A service, an account's id, an ARN or `*`. */
  readonly principal: string
  readonly sourceArn?: string | undefined
  readonly sourceAccount?: string | undefined
  readonly principalOrgId?: string | undefined
  readonly functionUrlAuthType?: string | undefined
  readonly invokedViaFunctionUrl?: boolean | undefined
  readonly eventSourceToken?: string | undefined
}

/** What is permitted: a function, or one of its versions or aliases. */
export interface PermissionTarget {
  readonly name: string
  readonly qualifier: string | undefined
}

/** Resource policies of functions, statement by statement. */
export interface PermissionService {
  /** Undefined: nothing is permitted, or there is nothing to permit. */
  find(target: PermissionTarget): ResourcePolicy | undefined
  /**
   * @param revisionId - The policy's, when it must be that.
   * @throws HearthError FUNCTION_NOT_FOUND, INVALID_REQUEST, STATEMENT_EXISTS, REVISION_MISMATCH, POLICY_TOO_LARGE
   */
  add(target: PermissionTarget, permission: Permission, revisionId?: string): Added
  /** @throws HearthError FUNCTION_NOT_FOUND, POLICY_NOT_FOUND, REVISION_MISMATCH */
  remove(target: PermissionTarget, statementId: string, revisionId?: string): void
}

interface Added {
  readonly statement: PolicyStatement
  readonly policy: ResourcePolicy
}

export interface PermissionServiceDeps {
  readonly policies: FunctionPoliciesRepository
  readonly functions: Pick<FunctionsRepository, 'find' | 'exclusively'>
  readonly aliases: Pick<AliasesRepository, 'find'>
  readonly scope: ArnScope
}

/** @see reference: Lambda control API §7 */
export function createPermissionService({
  policies,
  functions,
  aliases,
  scope
}: PermissionServiceDeps): PermissionService {
  const exists = ({ name, qualifier }: PermissionTarget): boolean =>
    qualifier === undefined || /^\d+$/.test(qualifier)
      ? functions.find(name, qualifier) !== undefined
      : aliases.find(name, qualifier) !== undefined

  return {
    find: ({ name, qualifier }) => policies.find(name, qualifier ?? ''),

    add(target, permission, revisionId) {
      const { name, qualifier } = target
      if (qualifier === LATEST) {
        throw new HearthError('INVALID_REQUEST', 'We currently do not support adding policies for $LATEST.')
      }
      const statement = toStatement(permission, functionArn(scope, name, qualifier))
      requireGrammar(statement)
      return functions.exclusively(() => {
        if (!exists(target)) throw notFound(target, scope)
        const current = policies.find(name, qualifier ?? '')
        requireRevision(current, revisionId, 'GetPolicy')
        const policy = withStatement(current, statement)
        policies.put(name, qualifier ?? '', policy)
        return { statement, policy }
      })
    },

    remove(target, statementId, revisionId) {
      const { name, qualifier } = target
      functions.exclusively(() => {
        if (!exists(target)) {
          throw new HearthError('FUNCTION_NOT_FOUND', `No policy found for: ${functionArn(scope, name, qualifier)}`)
        }
        const current = policies.find(name, qualifier ?? '')
        if (current === undefined) throw noPolicy()
        requireRevision(current, revisionId, 'GetPolicy')
        const left = withoutStatement(current, statementId)
        if (left === undefined) policies.remove(name, qualifier ?? '')
        else policies.put(name, qualifier ?? '', left)
      })
    }
  }
}

function toStatement(permission: Permission, resource: string): PolicyStatement {
  const { principalOrgId, sourceAccount, sourceArn, functionUrlAuthType, eventSourceToken } = permission
  const equals = members({
    'AWS:SourceAccount': sourceAccount,
    'aws:PrincipalOrgID': principalOrgId,
    'lambda:FunctionUrlAuthType': functionUrlAuthType,
    'lambda:EventSourceToken': eventSourceToken
  })
  const viaUrl = permission.invokedViaFunctionUrl
  const condition = {
    ...(equals === undefined ? {} : { StringEquals: equals }),
    ...(viaUrl === undefined ? {} : { Bool: { 'lambda:InvokedViaFunctionUrl': String(viaUrl) } }),
    ...(sourceArn === undefined ? {} : { ArnLike: { 'AWS:SourceArn': sourceArn } })
  }
  return {
    Sid: permission.statementId,
    Effect: 'Allow',
    Principal: toPrincipal(permission.principal),
    Action: permission.action,
    Resource: resource,
    ...(Object.keys(condition).length === 0 ? {} : { Condition: condition })
  }
}

/**
 * Names of AWS's services, a region's and a partition's too: `logs.us-east-1.amazonaws.com`, `alexa-appkit.amazon.com`;
 * and of Hearth's own: `webhooks.hearth`.
 */
const SERVICE = /^(?:(?:[a-z0-9-]+\.)+amazon(?:aws)?\.com(?:\.cn)?|[a-z-]+\.hearth)$/

function toPrincipal(principal: string): unknown {
  if (principal === '*') return '*'
  if (/^\d{12}$/.test(principal)) return { AWS: `arn:aws:iam::${principal}:root` }
  if (principal.startsWith('arn:')) return { AWS: principal }
  if (SERVICE.test(principal)) return { Service: principal }
  throw invalidPrincipal()
}

function invalidPrincipal(): HearthError {
  return new HearthError(
    'INVALID_REQUEST',
    'The provided principal was invalid. Please check the principal and try again.'
  )
}

/** What cannot be decided by must not be kept. @throws HearthError INVALID_REQUEST, MALFORMED_POLICY */
function requireGrammar(statement: PolicyStatement): void {
  try {
    compilePolicy({ Version: '2012-10-17', Statement: [statement] }, 'resource', 'permission')
  } catch (err) {
    if (!(err instanceof HearthError) || err.errors[0]?.path.includes('.Principal') !== true) throw err
    throw invalidPrincipal()
  }
}

function notFound({ name, qualifier }: PermissionTarget, scope: ArnScope): HearthError {
  const arn = functionArn(scope, name, qualifier)
  const isAlias = qualifier !== undefined && !/^\d+$/.test(qualifier)
  return isAlias
    ? new HearthError('ALIAS_NOT_FOUND', `Cannot find alias arn: ${arn}`)
    : new HearthError('FUNCTION_NOT_FOUND', `Function not found: ${arn}`)
}

/** @returns undefined when there is none */
function members(all: Readonly<Record<string, string | undefined>>): Record<string, string> | undefined {
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return given.length === 0 ? undefined : Object.fromEntries(given)
}
