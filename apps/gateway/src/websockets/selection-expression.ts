/** What a selection expression may speak of. */
export interface SelectionSource {
  /** `request.body.action`, `stageVariables.name`: undefined when there is no such thing. */
  read(path: readonly string[]): string | undefined
}

type Piece = string | readonly string[]

/** `${a.b}`, `$a.b`, an escaped character, or plain text. */
const TOKEN = /\\(.)|\$\{([A-Za-z_][\w.-]*)\}|\$([A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)|([^\\$]+|[\\$])/gsu

/**
 * Makes a function of a selection expression: `$request.body.action`, `${request.body.action}/${request.body.kind}`.
 * It returns undefined where one of the expression's variables has no value.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-selection-expressions.html
 */
export function compileSelection(expression: string): (source: SelectionSource) => string | undefined {
  const pieces: Piece[] = []
  for (const [, escaped, braced, bare, text] of expression.matchAll(TOKEN)) {
    const path = braced ?? bare
    pieces.push(path === undefined ? (escaped ?? text ?? '') : path.split('.'))
  }
  return (source) => {
    let key = ''
    for (const piece of pieces) {
      const value = typeof piece === 'string' ? piece : source.read(piece)
      if (value === undefined) return undefined
      key += value
    }
    return key
  }
}

/** The value at a path of a JSON document, as a selection expression has it: text, numbers and booleans only. */
export function memberAt(document: unknown, path: readonly string[]): string | undefined {
  let value = document
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}
