import { HearthError } from '../errors.ts'
import { PatternFault, type PatternField, type PatternJson, readPatternJson } from './json-reader.ts'
import { isOperator, type Matcher, readOperator, type Scalar, type Wish } from './operators.ts'

/** What is wanted of a field's values: any of it will do. */
export interface Leaf {
  /** From the event's root. */
  readonly path: readonly string[]
  readonly exact: ReadonlySet<Scalar>
  readonly matchers: readonly Matcher[]
  readonly present: boolean
  readonly absent: boolean
}

/** An object of a pattern: all of it must be so. */
export interface PatternNode {
  readonly fields: Map<string, PatternNode>
  leaf: Leaf | undefined
  /** Of each, one alternative at least. */
  readonly choices: (readonly PatternNode[])[]
}

/** Jackson, which AWS reads patterns with, repeats so much of them. */
const SHOWN_CHARS = 500

/**
 * Reads an event pattern. Keys with dots and nested keys are the same path.
 *
 * @throws HearthError INVALID_EVENT_PATTERN with the place of the mistake
 * @see reference: Lambda events §6
 */
export function compileEventPattern(text: string): PatternNode {
  try {
    const json = readPatternJson(text)
    if (json.kind !== 'object') throw new PatternFault('Filter is not an object', json.at)
    const root = emptyNode()
    readInto(root, json, [])
    return root
  } catch (thrown) {
    if (!(thrown instanceof PatternFault)) throw thrown
    throw new HearthError(
      'INVALID_EVENT_PATTERN',
      `Event pattern is not valid. Reason: ${thrown.message}${placeIn(text, thrown.at)}`
    )
  }
}

type PatternObject = Extract<PatternJson, { kind: 'object' }>
type PatternArray = Extract<PatternJson, { kind: 'array' }>

function emptyNode(): PatternNode {
  return { fields: new Map(), leaf: undefined, choices: [] }
}

function readInto(node: PatternNode, object: PatternObject, path: readonly string[]): void {
  if (object.fields.length === 0) throw new PatternFault('Empty objects are not allowed', object.end)
  for (const field of object.fields) {
    if (field.name === '$or' && isChoice(field.value)) readChoice(node, field.value, path)
    else readField(node, field, path)
  }
}

function readField(parent: PatternNode, { name, value }: PatternField, path: readonly string[]): void {
  const keys = name.split('.')
  const own = [...path, ...keys]
  let node = parent
  for (const key of keys) {
    const known = node.fields.get(key)
    const child = known ?? emptyNode()
    if (known === undefined) node.fields.set(key, child)
    node = child
  }
  if (value.kind === 'object') readInto(node, value, own)
  else if (value.kind === 'array') {
    if (node.leaf !== undefined) {
      throw new PatternFault(`Path \`${own.join('->')}\` cannot be allowed multiple times`, value.at)
    }
    node.leaf = readLeaf(value, own)
  } else throw new PatternFault(`"${name}" must be an object or an array`, value.at)
}

/** Before there was `$or`, it was a name like any other: it is one where what it has does not look like a choice. */
function isChoice(value: PatternJson): value is PatternArray {
  return (
    value.kind === 'array' &&
    value.items.length > 0 &&
    value.items.every((item) => item.kind === 'object' && !item.fields.some(({ name }) => isOperator(name)))
  )
}

function readChoice(node: PatternNode, { items, end }: PatternArray, path: readonly string[]): void {
  if (items.length < 2) throw new PatternFault('There must have at least 2 Objects in $or relationship.', end)
  node.choices.push(
    items.map((item) => {
      const alternative = emptyNode()
      readInto(alternative, item as PatternObject, path)
      return alternative
    })
  )
}

function readLeaf({ items, end }: PatternArray, path: readonly string[]): Leaf {
  if (items.length === 0) throw new PatternFault('Empty arrays are not allowed', end)
  const wishes = items.map(readWish)
  return {
    path,
    exact: new Set(wishes.flatMap((wish) => (typeof wish === 'object' && 'exact' in wish ? [wish.exact] : []))),
    matchers: wishes.flatMap((wish) => (typeof wish === 'object' && 'matches' in wish ? [wish.matches] : [])),
    present: wishes.includes('present'),
    absent: wishes.includes('absent')
  }
}

function readWish(item: PatternJson): Wish {
  switch (item.kind) {
    case 'object':
      return readOperator(item)
    case 'array':
      throw new PatternFault('Match value must be String, number, true, false, or null', item.at)
    case 'null':
      return { exact: null }
    default:
      return { exact: item.value }
  }
}

function placeIn(text: string, at: number): string {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  const column = at - before.lastIndexOf('\n')
  const cut = text.length - SHOWN_CHARS
  const source = cut > 0 ? `"${text.slice(0, SHOWN_CHARS)}"[truncated ${cut} chars]` : `"${text}"`
  return `\n at [Source: (String)${source}; line: ${line}, column: ${column}]`
}
