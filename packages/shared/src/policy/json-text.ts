import { LineCounter, parseDocument } from 'yaml'

/** Why a text is not the JSON that it should be. */
export interface JsonFault {
  readonly message: string
  /** From 1. */
  readonly line: number
  readonly column: number
}

/**
 * Strict JSON in which no key stands twice: a policy whose second `Effect` replaces its first means what its author does
 * not see. JSON.parse knows no such rule, so the YAML parser, of whose language JSON is a part, looks as well.
 */
export function parseStrictJson(text: string): { readonly value: unknown } | { readonly fault: JsonFault } {
  let value: unknown
  let message = ''
  try {
    value = JSON.parse(text)
  } catch {
    message = 'no valid JSON'
  }
  const lineCounter = new LineCounter()
  // Policies are small; the caller has checked the size before.
  const document = parseDocument(text, { uniqueKeys: true, schema: 'json', lineCounter, prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0])
    return {
      fault: {
        message: error.code === 'DUPLICATE_KEY' ? 'a key that stands twice' : 'no valid JSON',
        line,
        column: col
      }
    }
  }
  // YAML that is not JSON: there is no better place to name than the start.
  return message === '' ? { value } : { fault: { message, line: 1, column: 1 } }
}
