import type { Leaf, PatternNode } from './compile.ts'
import type { Scalar } from './operators.ts'

type Json = Scalar | readonly Json[] | JsonObject
interface JsonObject {
  readonly [key: string]: Json
}

interface Event {
  readonly root: JsonObject
  /** What was found out about paths: an array may ask again for each of its elements. */
  presence: Map<Leaf, boolean> | undefined
}

const NOTHING: JsonObject = {}

/**
 * Whether an event is one that a pattern wants. Of an array any element will do; what a pattern wants of several fields
 * of an object in an array must hold for one and the same object.
 *
 * @param event - JSON, as {@link prepareEvent} gives it back
 */
export function matchesEvent(pattern: PatternNode, event: object): boolean {
  return matchesObject(pattern, event as JsonObject, { root: event as JsonObject, presence: undefined })
}

/** Makes nested keys of those with dots, where an event has such. */
export function prepareEvent(event: object): object {
  return hasDots(event as JsonObject, 0) ? (undot(event as JsonObject) as object) : event
}

function matchesObject(node: PatternNode, object: JsonObject, event: Event): boolean {
  for (const [key, child] of node.fields) {
    const value = Object.hasOwn(object, key) ? object[key] : undefined
    if (!matchesField(child, value, event)) return false
  }
  for (const alternatives of node.choices) {
    if (!alternatives.some((alternative) => matchesObject(alternative, object, event))) return false
  }
  return true
}

function matchesField(node: PatternNode, value: Json | undefined, event: Event): boolean {
  const { leaf } = node
  if (leaf !== undefined && !hasWanted(leaf, value) && !(leaf.absent && isAbsent(leaf, event))) return false
  if (node.fields.size === 0 && node.choices.length === 0) return true
  return matchesInside(node, value, event) ?? matchesObject(node, NOTHING, event)
}

/** @returns undefined when there is no object */
function matchesInside(node: PatternNode, value: Json | undefined, event: Event): boolean | undefined {
  if (value === null || typeof value !== 'object') return undefined
  if (!isArray(value)) return matchesObject(node, value, event)
  let found: boolean | undefined
  for (const item of value) {
    const matches = matchesInside(node, item, event)
    if (matches === true) return true
    found ??= matches
  }
  return found
}

function hasWanted(leaf: Leaf, value: Json | undefined): boolean {
  if (value === undefined) return false
  if (value !== null && typeof value === 'object') {
    return isArray(value) && value.some((item) => hasWanted(leaf, item))
  }
  if (leaf.present || leaf.exact.has(value)) return true
  for (const matches of leaf.matchers) if (matches(value)) return true
  return false
}

function isAbsent(leaf: Leaf, event: Event): boolean {
  event.presence ??= new Map()
  const known = event.presence.get(leaf)
  if (known !== undefined) return known
  const absent = !hasLeaf(event.root, leaf.path, 0)
  event.presence.set(leaf, absent)
  return absent
}

/** Whether the event has anything at a path, in whatever element of arrays on the way. */
function hasLeaf(value: Json | undefined, path: readonly string[], depth: number): boolean {
  if (value === undefined) return false
  if (value === null || typeof value !== 'object') return depth === path.length
  if (isArray(value)) return value.some((item) => hasLeaf(item, path, depth))
  const key = path[depth]
  return key !== undefined && Object.hasOwn(value, key) && hasLeaf(value[key], path, depth + 1)
}

function hasDots(value: Json, depth: number): boolean {
  if (value === null || typeof value !== 'object' || depth > 1_000) return false
  if (isArray(value)) return value.some((item) => hasDots(item, depth + 1))
  for (const key in value) if (key.includes('.') || hasDots(value[key]!, depth + 1)) return true
  return false
}

/** Two values that come to stand at one path are both there, as elements of an array. */
function undot(value: Json): Json {
  if (value === null || typeof value !== 'object') return value
  if (isArray(value)) return value.map(undot)
  const made: Record<string, Json> = Object.create(null) as Record<string, Json>
  for (const [name, part] of Object.entries(value)) {
    const keys = name.split('.')
    const nested = keys.slice(1).reduceRight<Json>((inner, key) => objectOf(key, inner), undot(part))
    put(made, keys[0]!, nested)
  }
  return made
}

function put(target: Record<string, Json>, key: string, value: Json): void {
  const before = target[key]
  if (before === undefined) target[key] = value
  else if (isObject(before) && isObject(value)) {
    const merged = Object.assign(Object.create(null) as Record<string, Json>, before)
    for (const [name, part] of Object.entries(value)) put(merged, name, part)
    target[key] = merged
  } else target[key] = [before, value]
}

function objectOf(key: string, value: Json): Json {
  const object = Object.create(null) as Record<string, Json>
  object[key] = value
  return object
}

function isObject(value: Json): value is JsonObject {
  return value !== null && typeof value === 'object' && !isArray(value)
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
