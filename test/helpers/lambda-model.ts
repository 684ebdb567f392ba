import * as sdk from '@aws-sdk/client-lambda'

/** A shape of the service model, as AWS's client for JavaScript carries it. */
export type Shape =
  | { readonly kind: 'string' | 'number' | 'boolean' | 'blob' | 'timestamp' | 'document' }
  | { readonly kind: 'list'; readonly item: Shape }
  | { readonly kind: 'map'; readonly value: Shape }
  | { readonly kind: 'structure'; readonly members: readonly Member[] }

export interface Member {
  readonly name: string
  readonly shape: Shape
  readonly required: boolean
  /** Where it travels. */
  readonly place: 'path' | 'query' | 'header' | 'payload' | 'body'
  /** Its name there, where that is another. */
  readonly wireName: string
}

export interface ModelOperation {
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With `{Member}` for what varies, and the fixed part of the query. */
  readonly path: string
  readonly input: readonly Member[]
}

// How @smithy/core writes schemas down: [kind, namespace, name, traits, …], a number for a simple type, 64 and 128 added
// for a list or map of it, [schema, traits] for one with traits, a function for one that is defined later.
type Raw = number | readonly unknown[] | (() => Raw)
type RawOperation = readonly [9, string, string, { http: [string, string, number] }, () => Raw, () => Raw]
type RawStructure = readonly [number, string, string, unknown, readonly string[], readonly Raw[], number?]

const SIMPLE: Readonly<Record<number, Exclude<Shape['kind'], 'list' | 'map' | 'structure'>>> = {
  0: 'string',
  1: 'number',
  2: 'boolean',
  4: 'timestamp',
  15: 'document',
  17: 'number',
  19: 'number',
  21: 'blob',
  42: 'blob'
}
const IS_LABEL = 1
const IS_PAYLOAD = 16

/** Every operation of the client that is installed. */
export const MODEL: readonly ModelOperation[] = (Object.values(sdk) as unknown[])
  .filter((value): value is RawOperation => Array.isArray(value) && value[0] === 9)
  .map(([, , name, { http }, input]) => {
    const members = membersOf(resolve(input) as RawStructure, 0)
    return { name, method: http[0] as ModelOperation['method'], path: http[1], input: members }
  })

/** The members of a request's structure. @param name - Such as `CreateFunctionRequest`. */
export function membersOfRequest(name: string): readonly string[] {
  const structure = (sdk as unknown as Record<string, RawStructure>)[`${name}$`]
  return structure?.[4] ?? []
}

function resolve(raw: Raw): Raw {
  return typeof raw === 'function' ? resolve(raw()) : raw
}

function membersOf([, , , , names, schemas, required = 0]: RawStructure, depth: number): Member[] {
  return names.map((name, index): Member => {
    const { schema, traits } = withTraits(schemas[index]!)
    const bits = typeof traits === 'number' ? traits : 0
    const { httpQuery, httpHeader, httpLabel, httpPayload } = (typeof traits === 'object' ? traits : {}) as {
      httpQuery?: string
      httpHeader?: string
      httpLabel?: 1
      httpPayload?: 1
    }
    const place =
      (bits & IS_LABEL) !== 0 || httpLabel === 1
        ? 'path'
        : httpQuery !== undefined
          ? 'query'
          : httpHeader !== undefined
            ? 'header'
            : (bits & IS_PAYLOAD) !== 0 || httpPayload === 1
              ? 'payload'
              : 'body'
    return {
      name,
      shape: shapeOf(schema, depth),
      required: index < required,
      place,
      wireName: httpQuery ?? httpHeader ?? name
    }
  })
}

function withTraits(raw: Raw): { readonly schema: Raw; readonly traits: unknown } {
  if (Array.isArray(raw) && raw.length === 2) {
    const [inner, traits] = raw as [Raw, unknown]
    return { schema: resolve(inner), traits }
  }
  return { schema: resolve(raw), traits: undefined }
}

function shapeOf(raw: Raw, depth: number): Shape {
  const schema = withTraits(raw).schema
  // Operations nest in themselves: deep enough is enough.
  if (depth > 4) return { kind: 'document' }
  if (typeof schema === 'number') {
    if ((schema & 64) !== 0) return { kind: 'list', item: shapeOf(schema & ~64, depth + 1) }
    if ((schema & 128) !== 0) return { kind: 'map', value: shapeOf(schema & ~128, depth + 1) }
    return { kind: SIMPLE[schema] ?? 'document' }
  }
  const [kind, , , , a, b] = schema as readonly [number, string, string, unknown, Raw, Raw]
  switch (kind) {
    case 0:
      return shapeOf(a, depth)
    case 1:
      return { kind: 'list', item: shapeOf(a, depth + 1) }
    case 2:
      return { kind: 'map', value: shapeOf(b, depth + 1) }
    case 3:
    case 4:
      return { kind: 'structure', members: membersOf(schema as unknown as RawStructure, depth + 1) }
    default:
      return { kind: 'document' }
  }
}
