import type { TargetInput } from './triggers.ts'

/** An event on its way to a rule's target. */
export interface FiredEvent {
  /** As it is sent where nothing else is said: JSON text. */
  readonly text: string
  readonly ruleArn: string
  readonly ruleName: string
  /** When the bus took it, ISO 8601. */
  readonly ingestionTime: string
}

/** What of an input cannot be. */
export interface InputFault {
  readonly member: 'Input' | 'InputPath' | 'InputTransformer'
  readonly reason: string
}

const MAX_PATHS = 100
const MAX_CHARS = 8_192
const VARIABLE = /<([A-Za-z0-9_.-]+)>/g
const STEP = /\.([A-Za-z0-9_@-]+)|\['([^']+)'\]|\["([^"]+)"\]|\[(\d{1,9})\]/y
const OWN: readonly string[] = [
  'aws.events.rule-arn',
  'aws.events.rule-name',
  'aws.events.event.ingestion-time',
  'aws.events.event',
  'aws.events.event.json'
]

/** @returns undefined when the input can be made of any event */
export function checkTargetInput({ input, inputPath, inputTransformer }: TargetInput): InputFault | undefined {
  if ([input, inputPath, inputTransformer].filter((one) => one !== undefined).length > 1) {
    return { member: 'Input', reason: 'Only one of Input, InputPath, or InputTransformer must be provided' }
  }
  if (input !== undefined) {
    if (input.length > MAX_CHARS) return { member: 'Input', reason: `it may have ${MAX_CHARS} characters` }
    return isJson(input) ? undefined : { member: 'Input', reason: 'JSON is malformed' }
  }
  if (inputPath !== undefined) {
    return parsePath(inputPath) === undefined ? { member: 'InputPath', reason: 'InputPath is not valid' } : undefined
  }
  if (inputTransformer === undefined) return undefined
  const { paths, template } = inputTransformer
  const fault = (reason: string): InputFault => ({ member: 'InputTransformer', reason })
  if (template === '' || template.length > MAX_CHARS)
    return fault(`InputTemplate must have 1 to ${MAX_CHARS} characters`)
  if (Object.keys(paths).length > MAX_PATHS) return fault(`InputPathsMap may have ${MAX_PATHS} entries`)
  for (const [name, path] of Object.entries(paths)) {
    if (name.startsWith('AWS') || name.startsWith('aws.')) return fault(`the name ${name} is reserved`)
    if (!/^[A-Za-z0-9_-]{1,256}$/.test(name)) return fault(`${name} is no name of a variable`)
    if (parsePath(path) === undefined) return fault(`the path of ${name} is not valid`)
  }
  for (const [, name] of template.matchAll(VARIABLE)) {
    if (!Object.hasOwn(paths, name!) && !OWN.includes(name!))
      return fault(`InputTemplate has the unknown variable ${name}`)
  }
  const sample = fill(template, () => '')
  return isJson(sample) ? undefined : fault('what InputTemplate makes is not JSON')
}

/**
 * What a target gets of an event.
 *
 * @param target - Checked by {@link checkTargetInput}
 * @returns JSON text
 */
export function renderTargetInput({ input, inputPath, inputTransformer }: TargetInput, event: FiredEvent): string {
  if (input !== undefined) return input
  if (inputPath !== undefined)
    return inputPath === '$' ? event.text : JSON.stringify(pick(JSON.parse(event.text), inputPath) ?? null)
  if (inputTransformer === undefined) return event.text
  const { paths, template } = inputTransformer
  const parsed = JSON.parse(event.text) as Record<string, unknown>
  return fill(template, (name) => {
    switch (name) {
      case 'aws.events.rule-arn':
        return event.ruleArn
      case 'aws.events.rule-name':
        return event.ruleName
      case 'aws.events.event.ingestion-time':
        return event.ingestionTime
      case 'aws.events.event': {
        return Object.fromEntries(Object.entries(parsed).filter(([member]) => member !== 'detail'))
      }
      case 'aws.events.event.json':
        return parsed
      default:
        return Object.hasOwn(paths, name) ? pick(parsed, paths[name]!) : undefined
    }
  })
}

/** Inside of quotes a variable becomes part of the text; elsewhere it is a value. What is not there leaves nothing behind. */
function fill(template: string, valueOf: (name: string) => unknown): string {
  let made = ''
  let quoted = false
  let at = 0
  for (const match of template.matchAll(VARIABLE)) {
    const before = template.slice(at, match.index)
    quoted = isOpen(before, quoted)
    made += before
    at = match.index + match[0].length
    const value = valueOf(match[1]!)
    if (!quoted) made += JSON.stringify(value ?? null)
    else if (value !== undefined) {
      const text = typeof value === 'string' ? value : JSON.stringify(value)
      made += JSON.stringify(text).slice(1, -1)
    }
  }
  return made + template.slice(at)
}

/** Whether a text that begins inside of quotes or not ends inside of them. */
function isOpen(text: string, open: boolean): boolean {
  let quoted = open
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\' && quoted) i++
    else if (text[i] === '"') quoted = !quoted
  }
  return quoted
}

function pick(value: unknown, path: string): unknown {
  let found = value
  for (const step of parsePath(path) ?? []) {
    if (found === null || typeof found !== 'object' || !Object.hasOwn(found, step)) return undefined
    found = (found as Record<string, unknown>)[step]
  }
  return found
}

/** `$.detail.list[0]['a b']`. @returns undefined when it is none */
function parsePath(path: string): readonly string[] | undefined {
  if (path[0] !== '$' || path.length > 256) return undefined
  const steps: string[] = []
  STEP.lastIndex = 1
  while (STEP.lastIndex < path.length) {
    const match = STEP.exec(path)
    if (match === null) return undefined
    steps.push(match[1] ?? match[2] ?? match[3] ?? match[4]!)
  }
  return steps
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
