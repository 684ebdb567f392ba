import type { ArnScope, HearthError } from '@hearth/shared'
import type { AlarmState, AlarmsRepository } from '@hearth/store'
import { monitoringError } from '../metrics-api/errors.ts'
import { alarmNameIn, isCompositeAlarm } from './model.ts'

/** The rule of an alarm on the states of others, read. */
export type AlarmRule =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'state'; readonly state: AlarmState; readonly alarm: string }
  | { readonly kind: 'not'; readonly operand: AlarmRule }
  | { readonly kind: 'and' | 'or'; readonly left: AlarmRule; readonly right: AlarmRule }

const TOKEN = /\s*(?:(\(|\))|"((?:[^"\\]|\\.)*)"|([^\s()"]+))/y
/** Source: the quotas of composite alarms. */
const MAX_CHILDREN = 100
const MAX_PARTS = 500
const STATES = new Set<string>(['OK', 'ALARM', 'INSUFFICIENT_DATA'])

/**
 * Reads `ALARM("a") AND NOT (OK(b) OR INSUFFICIENT_DATA("c"))`, with names or ARNs. AND binds more tightly than OR.
 *
 * @throws HearthError (ValidationError)
 */
export function parseRule(text: string, scope: ArnScope): AlarmRule {
  const tokens = tokensOf(text)
  let at = 0
  let depth = 0
  const isWord = (word: string): boolean => tokens[at]?.kind === 'word' && tokens[at]?.text === word
  const expect = (mark: string): void => {
    if (tokens[at]?.kind !== 'mark' || tokens[at]?.text !== mark) throw malformed(`'${mark}' is expected`)
    at++
  }

  function either(): AlarmRule {
    let left = both()
    while (isWord('OR')) {
      at++
      left = { kind: 'or', left, right: both() }
    }
    return left
  }

  function both(): AlarmRule {
    let left = single()
    while (isWord('AND')) {
      at++
      left = { kind: 'and', left, right: single() }
    }
    return left
  }

  function single(): AlarmRule {
    if (++depth > MAX_PARTS) throw malformed(`it has more than ${MAX_PARTS} parts`)
    const token = tokens[at]
    if (token === undefined) throw malformed('it ends too early')
    at++
    if (token.kind === 'mark' && token.text === '(') {
      const inner = either()
      expect(')')
      return inner
    }
    if (token.kind !== 'word') throw malformed(`'${token.text}' is not expected here`)
    if (token.text === 'NOT') return { kind: 'not', operand: single() }
    if (token.text === 'TRUE' || token.text === 'FALSE') return { kind: 'constant', value: token.text === 'TRUE' }
    if (!STATES.has(token.text)) throw malformed(`'${token.text}' is not expected here`)
    expect('(')
    const alarm = tokens[at]
    if (alarm === undefined || alarm.kind === 'mark') throw malformed('the name or ARN of an alarm is expected')
    at++
    expect(')')
    return { kind: 'state', state: token.text as AlarmState, alarm: alarmNameIn(scope, alarm.text) ?? alarm.text }
  }

  const rule = either()
  if (at < tokens.length) throw malformed(`'${tokens[at]!.text}' is not expected here`)
  return rule
}

function tokensOf(text: string): { readonly kind: 'mark' | 'name' | 'word'; readonly text: string }[] {
  const tokens: { kind: 'mark' | 'name' | 'word'; text: string }[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text)
    if (match === null) break
    const [, mark, name, word] = match
    if (mark !== undefined) tokens.push({ kind: 'mark', text: mark })
    else if (name !== undefined) tokens.push({ kind: 'name', text: name.replace(/\\(.)/g, '$1') })
    else tokens.push({ kind: 'word', text: word! })
    if (text.slice(TOKEN.lastIndex).trim() === '') return tokens
  }
  throw malformed('it cannot be read to its end')
}

/** @param stateOf - Undefined for an alarm that is not there, whose states are all untrue */
export function holds(rule: AlarmRule, stateOf: (alarm: string) => AlarmState | undefined): boolean {
  switch (rule.kind) {
    case 'constant':
      return rule.value
    case 'state':
      return stateOf(rule.alarm) === rule.state
    case 'not':
      return !holds(rule.operand, stateOf)
    case 'and':
      return holds(rule.left, stateOf) && holds(rule.right, stateOf)
    case 'or':
      return holds(rule.left, stateOf) || holds(rule.right, stateOf)
  }
}

/** Names of the alarms that a rule is about, each once. */
export function childrenOf(rule: AlarmRule): readonly string[] {
  const names = new Set<string>()
  const visit = (node: AlarmRule): void => {
    if (node.kind === 'state') names.add(node.alarm)
    else if (node.kind === 'not') visit(node.operand)
    else if (node.kind !== 'constant') {
      visit(node.left)
      visit(node.right)
    }
  }
  visit(rule)
  return [...names]
}

/**
 * What a composite alarm's rule must be: readable, about alarms that are there, and not about itself in a roundabout way.
 *
 * @throws HearthError (ValidationError)
 */
export function checkRule(
  text: string,
  name: string,
  scope: ArnScope,
  repository: Pick<AlarmsRepository, 'find'>
): void {
  const children = childrenOf(parseRule(text, scope))
  if (children.length > MAX_CHILDREN) throw malformed(`it names more than ${MAX_CHILDREN} alarms`)
  const seen = new Set<string>()
  const queue = [...children]
  for (let child = queue.pop(); child !== undefined; child = queue.pop()) {
    if (child === name) throw malformed('it leads back to the alarm itself')
    if (seen.has(child)) continue
    seen.add(child)
    const alarm = repository.find(child)
    if (alarm === undefined && children.includes(child)) throw malformed(`there is no alarm ${child}`)
    if (alarm !== undefined && isCompositeAlarm(alarm)) queue.push(...childrenOf(parseRule(alarm.settings.rule, scope)))
  }
}

function malformed(message: string): HearthError {
  return monitoringError('ValidationError', `AlarmRule is not valid: ${message}.`)
}
