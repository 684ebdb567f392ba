import { HearthError } from '../errors.ts'
import { parseArnPattern } from './arn-pattern.ts'
import { ConditionError, compileCondition } from './condition.ts'
import { parseStrictJson } from './json-text.ts'
import { EVERYONE, type PrincipalPattern, parsePrincipal } from './principal-pattern.ts'
import { type CompiledStatement, compileActions, type StatementParts } from './statement.ts'

/** Where a document stands, which decides what belongs into it. */
export type PolicyKind = 'identity' | 'resource' | 'trust'

/** A policy, ready to decide. */
export interface Policy {
  /** How answers and logs call it. */
  readonly name: string
  readonly kind: PolicyKind
  readonly statements: readonly CompiledStatement[]
}

/** No document is parsed beyond this, whatever its limit: blanks are not counted, but read. */
const MAX_CHARS = 131_072

/** @returns characters, white space not counted */
export function policySize(text: string): number {
  return text.replace(/\s/g, '').length
}

/**
 * Checks a policy document and makes it ready.
 *
 * @param name - How decisions are to call it.
 * @throws HearthError MALFORMED_POLICY, with the place
 * @see reference: IAM §1.1
 */
export function parsePolicy(text: string, kind: PolicyKind, name: string): Policy {
  if (text.length > MAX_CHARS) throw malformed('', `The document has more than ${MAX_CHARS} characters.`)
  if (/[^\t\n\r\u0020-\u00ff]/.test(text)) {
    throw malformed(
      '',
      'The document has characters that policies may not have: only U+0009, 000A, 000D, 0020 to 00FF.'
    )
  }
  const parsed = parseStrictJson(text)
  if ('fault' in parsed) {
    const { message, line, column } = parsed.fault
    throw malformed('', `Line ${line}, column ${column}: ${message}.`, 'This policy contains invalid Json')
  }
  return compilePolicy(parsed.value, kind, name)
}

/** {@link parsePolicy} for a document that was JSON already. */
export function compilePolicy(document: unknown, kind: PolicyKind, name: string): Policy {
  const root = asObject(document, '')
  onlyMembers(root, '', kind === 'identity' ? ['Version', 'Statement'] : ['Version', 'Id', 'Statement'])
  const version = root['Version'] ?? '2008-10-17'
  if (version !== '2012-10-17' && version !== '2008-10-17') {
    throw malformed('Version', 'The policy must have the version 2012-10-17 or 2008-10-17.')
  }
  if (root['Id'] !== undefined && typeof root['Id'] !== 'string') throw malformed('Id', 'Id must be a string.')
  const list = root['Statement']
  if (list === undefined) throw refused('Statement', 'Missing required field Statement')
  const single = !Array.isArray(list)
  const raw: readonly unknown[] = single ? [list] : list
  if (raw.length === 0) throw malformed('Statement', 'A policy has at least one statement.')
  const sids = new Set<string>()
  const statements = raw.map((statement, i) => {
    const at = single ? 'Statement' : `Statement[${i}]`
    const compiled = compileStatement(asObject(statement, at), at, kind, i, version === '2012-10-17')
    if (compiled.sid !== undefined) {
      if (sids.has(compiled.sid)) throw refused(`${at}.Sid`, `Statement IDs (SID) in a single policy must be unique.`)
      sids.add(compiled.sid)
    }
    return compiled
  })
  return { name, kind, statements }
}

type Members = Readonly<Record<string, unknown>>

const MEMBERS = [
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition'
]

function compileStatement(
  members: Members,
  at: string,
  kind: PolicyKind,
  index: number,
  hasVariables: boolean
): CompiledStatement {
  onlyMembers(members, at, MEMBERS)
  const { Sid: sid, Effect: effect } = members
  if (effect !== 'Allow' && effect !== 'Deny') throw malformed(`${at}.Effect`, 'Effect must be Allow or Deny.')
  if (
    sid !== undefined &&
    (typeof sid !== 'string' || !(kind === 'identity' ? /^[A-Za-z0-9]*$/ : /^[^\n]*$/).test(sid))
  ) {
    throw refused(`${at}.Sid`, 'Statement IDs (SID) must be alpha-numeric.')
  }
  const action = oneOf(members, at, 'Action')
  const resource = kind === 'trust' ? noResource(members, at) : oneOf(members, at, 'Resource')
  const principal = kind === 'identity' ? noPrincipal(members, at) : oneOf(members, at, 'Principal')
  const parts: StatementParts = {
    actions: compileActions(
      texts(action.value, action.at).map((value) => {
        if (!/^(\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+)$/.test(value)) {
          throw refused(action.at, `Actions/Conditions must be prefaced by a vendor: '${value}'.`)
        }
        return value
      })
    ),
    notActions: action.negated,
    resources:
      resource &&
      texts(resource.value, resource.at).map((value) => {
        const pattern = parseArnPattern(value, hasVariables)
        if (pattern === undefined) throw refused(resource.at, `Resource ${value} must be in ARN format or "*".`)
        return pattern
      }),
    notResources: resource?.negated === true,
    principals: principal && principals(principal.value, principal.at),
    notPrincipals: principal?.negated === true,
    conditions:
      members['Condition'] === undefined ? [] : conditions(members['Condition'], `${at}.Condition`, hasVariables)
  }
  if (parts.notPrincipals && effect === 'Allow') {
    throw malformed(`${at}.NotPrincipal`, 'Allow with NotPrincipal is not supported.')
  }
  return { ...parts, index, effect, sid: sid === '' ? undefined : sid }
}

/** A member or its `Not…`, of which exactly one is there. */
function oneOf(members: Members, at: string, name: string) {
  const plain = members[name]
  const not = members[`Not${name}`]
  if (plain === undefined && not === undefined) throw refused(at, `Missing required field ${name}`)
  if (plain !== undefined && not !== undefined) throw malformed(at, `Only one of ${name} and Not${name} may be there.`)
  return plain === undefined
    ? { value: not, negated: true, at: `${at}.Not${name}` }
    : { value: plain, negated: false, at: `${at}.${name}` }
}

function noResource(members: Members, at: string): undefined {
  if (members['Resource'] === undefined && members['NotResource'] === undefined) return undefined
  throw refused(`${at}.Resource`, 'Has prohibited field Resource')
}

function noPrincipal(members: Members, at: string): undefined {
  if (members['Principal'] === undefined && members['NotPrincipal'] === undefined) return undefined
  throw refused(`${at}.Principal`, 'Policy document should not specify a principal.')
}

function principals(value: unknown, at: string): readonly PrincipalPattern[] {
  if (value === '*') return [EVERYONE]
  const patterns: PrincipalPattern[] = []
  for (const [kind, named] of Object.entries(asObject(value, at))) {
    for (const text of texts(named, `${at}.${kind}`)) {
      const pattern = parsePrincipal(kind, text)
      if (pattern === undefined) throw refused(`${at}.${kind}`, `Invalid principal in policy: "${kind}":"${text}"`)
      patterns.push(pattern)
    }
  }
  if (patterns.length === 0) throw refused(at, 'Missing required field Principal cannot be empty!')
  return patterns
}

function conditions(value: unknown, at: string, hasVariables: boolean) {
  return Object.entries(asObject(value, at)).flatMap(([operator, keys]) =>
    Object.entries(asObject(keys, `${at}.${operator}`)).map(([key, given]) => {
      const place = `${at}.${operator}.${key}`
      try {
        return {
          name: `${operator} ${key}`,
          holds: compileCondition(operator, key, scalars(given, place), hasVariables)
        }
      } catch (err) {
        if (err instanceof ConditionError) throw malformed(place, err.message)
        throw err
      }
    })
  )
}

function texts(value: unknown, at: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0) throw malformed(at, 'The list must not be empty.')
  return list.map((item) => {
    if (typeof item !== 'string') throw malformed(at, 'Every value must be a string.')
    return item
  })
}

/** Condition values: numbers and booleans are compared as they are written. */
function scalars(value: unknown, at: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.map((item) => {
    if (typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean') return String(item)
    throw malformed(at, 'Every value must be a string, a number or a boolean.')
  })
}

function asObject(value: unknown, at: string): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members
  throw malformed(at, at === '' ? 'A policy is a JSON object.' : 'This must be an object.')
}

function onlyMembers(members: Members, at: string, known: readonly string[]): void {
  for (const name of Object.keys(members)) {
    if (!known.includes(name)) throw malformed(at === '' ? name : `${at}.${name}`, `Unknown field ${name}`)
  }
}

/** What AWS says of it; its clients get that alone. */
function refused(at: string, message: string): HearthError {
  return malformed(at, message, message)
}

function malformed(at: string, message: string, awsMessage?: string): HearthError {
  return new HearthError('MALFORMED_POLICY', at === '' ? message : `${at}: ${message}`, {
    errors: [{ path: at === '' ? 'document' : `document.${at}`, message }],
    ...(awsMessage === undefined ? {} : { awsMessage })
  })
}
