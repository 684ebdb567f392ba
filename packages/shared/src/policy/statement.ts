import { type ArnPattern, matchesArn } from './arn-pattern.ts'
import type { Condition } from './condition.ts'
import { type Glob, matchesGlob, parseGlob } from './glob.ts'
import { closest, type PrincipalMatch, type PrincipalPattern } from './principal-pattern.ts'
import type { PolicyRequest } from './request.ts'

export interface ActionSet {
  readonly all: boolean
  /** In lower case, without wildcards. */
  readonly exact: ReadonlySet<string>
  readonly globs: readonly Glob[]
}

export interface StatementParts {
  readonly actions: ActionSet
  readonly notActions: boolean
  /** Undefined in trust policies: the role itself. */
  readonly resources: readonly ArnPattern[] | undefined
  readonly notResources: boolean
  /** Undefined in identity policies: whoever has them. */
  readonly principals: readonly PrincipalPattern[] | undefined
  readonly notPrincipals: boolean
  readonly conditions: readonly { readonly name: string; readonly holds: Condition }[]
}

export interface CompiledStatement extends StatementParts {
  /** Place in the document, from 0. */
  readonly index: number
  readonly effect: 'Allow' | 'Deny'
  readonly sid: string | undefined
}

/** What of a statement a request does not meet; the first in the order in which they are looked at. */
export type Mismatch = 'action' | 'resource' | 'principal' | { readonly condition: string }

export type StatementResult =
  | { readonly matches: true; readonly principal: PrincipalMatch }
  | { readonly matches: false; readonly because: Mismatch }

export function compileActions(actions: readonly string[]): ActionSet {
  const lower = actions.map((action) => action.toLowerCase())
  return {
    all: lower.includes('*'),
    exact: new Set(lower.filter((action) => !/[*?]/.test(action))),
    globs: lower.filter((action) => /[*?]/.test(action)).map(parseGlob)
  }
}

const SELF: StatementResult = { matches: true, principal: 'self' }
const MATCHES: Readonly<Record<PrincipalMatch, StatementResult>> = {
  none: { matches: false, because: 'principal' },
  account: { matches: true, principal: 'account' },
  anyone: { matches: true, principal: 'anyone' },
  role: { matches: true, principal: 'role' },
  self: SELF
}
const NOT_ACTION: StatementResult = { matches: false, because: 'action' }
const NOT_RESOURCE: StatementResult = { matches: false, because: 'resource' }

/** @param action - The request's, in lower case. */
export function matchStatement(statement: CompiledStatement, request: PolicyRequest, action: string): StatementResult {
  if (hasAction(statement.actions, action) === statement.notActions) return NOT_ACTION
  const { resources, principals } = statement
  if (resources !== undefined && hasResource(resources, request) === statement.notResources) return NOT_RESOURCE
  let result = SELF
  if (principals !== undefined) {
    const found = closest(principals, request.caller)
    result = MATCHES[statement.notPrincipals ? (found === 'none' ? 'anyone' : 'none') : found]
    if (!result.matches) return result
  }
  for (const { name, holds } of statement.conditions) {
    if (!holds(request.keys)) return { matches: false, because: { condition: name } }
  }
  return result
}

function hasAction(actions: ActionSet, action: string): boolean {
  if (actions.all || actions.exact.has(action)) return true
  for (const glob of actions.globs) if (matchesGlob(glob, action)) return true
  return false
}

function hasResource(patterns: readonly ArnPattern[], request: PolicyRequest): boolean {
  for (const pattern of patterns) if (matchesArn(pattern, request.resource, request.keys)) return true
  return false
}
