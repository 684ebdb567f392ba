/** Bytes of a build's log that are kept. */
const KEPT = 65_536
/** More than this from one build is no log. */
const FLOOD = 64 * 1_048_576

/** The end of what a build prints. */
export interface LogTail {
  /** @returns false when it has been far too much */
  add(chunk: Buffer | string): boolean
  /** At most 64 KiB, without terminal control and what looks like a secret. */
  text(): string
}

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, 'g')
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/(\/\/)[^/\s@]+@/g, '$1***@'],
  [
    /((?:_authToken|_auth|_password|authorization|password|token)["']?\s*[=:]\s*["']?(?:(?:bearer|basic)\s+)?)[^\s"',]+/gi,
    '$1***'
  ],
  [/\b(npm_|pypi-|gh[pousr]_)[A-Za-z0-9_-]{16,}/g, '$1***']
]

export function createLogTail(): LogTail {
  let chunks: Buffer[] = []
  let kept = 0
  let total = 0
  return {
    add(chunk) {
      const bytes = Buffer.from(chunk as string)
      total += bytes.length
      chunks.push(bytes)
      kept += bytes.length
      if (kept > 4 * KEPT) {
        const tail = Buffer.concat(chunks).subarray(-2 * KEPT)
        chunks = [tail]
        kept = tail.length
      }
      return total <= FLOOD
    },
    text() {
      let text = Buffer.concat(chunks).toString('utf8').replace(ESCAPES, '').replace(CONTROLS, '')
      for (const [pattern, replacement] of SECRETS) text = text.replace(pattern, replacement)
      const bytes = Buffer.from(text)
      if (total <= KEPT && bytes.length <= KEPT) return text
      // From the first whole line on.
      const tail = bytes.subarray(-(KEPT - 64)).toString('utf8')
      return `(the beginning is left out)\n${tail.slice(tail.indexOf('\n') + 1)}`
    }
  }
}

/** All control characters but tab and newline. */
const CONTROLS = new RegExp('[\\u0000-\\u0008\\u000b-\\u001f\\u007f]', 'g')
