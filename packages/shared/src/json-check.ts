/** What AWS's parser allows, so that a body of brackets alone cannot exhaust a runtime's stack. */
const MAX_DEPTH = 1_000

const VALUE = 0
const VALUE_OR_END = 1
const KEY = 2
const KEY_OR_END = 3
const COLON = 4
const AFTER_VALUE = 5
const STRING = 6
const ESCAPE = 7
const HEX = 8
const MINUS = 9
const ZERO = 10
const DIGITS = 11
const POINT = 12
const FRACTION = 13
const EXPONENT = 14
const EXPONENT_SIGN = 15
const EXPONENT_DIGITS = 16
const LITERAL = 17

const TRUE: Buffer = Buffer.from('true')
const FALSE: Buffer = Buffer.from('false')
const NULL: Buffer = Buffer.from('null')

/**
 * Tells whether bytes are JSON, chunk by chunk and without building a value: AWS refuses a payload that is none
 * before the function runs, and a 6 MB `JSON.parse` would hold up every other caller for tens of milliseconds.
 * Grammar of RFC 8259, as `JSON.parse` reads it; whether strings are UTF-8 is for the caller to check.
 */
export class JsonCheck {
  #state = VALUE
  #depth = 0
  /** 1 where the container is an object; grown to what was needed so far. */
  #objects = new Uint8Array(32)
  #stringIsKey = false
  #hexLeft = 0
  #literal = NULL
  #literalAt = 0
  #consumed = 0

  /** Ready for another text. */
  reset(): void {
    this.#state = VALUE
    this.#depth = 0
    this.#stringIsKey = false
    this.#consumed = 0
  }

  /** @returns Offset of the first byte that does not belong, counted over all chunks; -1 so far so good */
  push(chunk: Uint8Array): number {
    let state = this.#state
    const length = chunk.length
    for (let i = 0; i < length; i++) {
      const byte = chunk[i]!
      if (state === STRING) {
        // The bulk of most payloads: stay here as long as nothing ends the run.
        let at = i
        let b = byte
        while (b !== 0x22 && b !== 0x5c && b >= 0x20 && ++at < length) b = chunk[at]!
        if (at === length) break
        i = at
        if (b === 0x22) {
          state = this.#stringIsKey ? COLON : AFTER_VALUE
          if (state === COLON) this.#stringIsKey = false
        } else if (b === 0x5c) state = ESCAPE
        else return this.#consumed + i
        continue
      }
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
        if (state <= AFTER_VALUE) continue
        if (!endsNumber(state)) return this.#consumed + i
        state = AFTER_VALUE
        continue
      }
      const next = this.#step(state, byte)
      if (next < 0) return this.#consumed + i
      state = next
    }
    this.#state = state
    this.#consumed += length
    return -1
  }

  /** @returns -1 if what was pushed is one whole JSON text, else the offset at which it breaks off */
  end(): number {
    const whole = this.#depth === 0 && (this.#state === AFTER_VALUE || endsNumber(this.#state))
    return whole ? -1 : this.#consumed
  }

  /** One byte that is neither blank nor inside of a string. @returns the next state, or -1 */
  #step(state: number, byte: number): number {
    switch (state) {
      case VALUE_OR_END:
        if (byte === 0x5d) return this.#close(0)
        return this.#value(byte)
      case VALUE:
        return this.#value(byte)
      case KEY_OR_END:
        if (byte === 0x7d) return this.#close(1)
        return this.#key(byte)
      case KEY:
        return this.#key(byte)
      case COLON:
        return byte === 0x3a ? VALUE : -1
      case AFTER_VALUE:
        return this.#afterValue(byte)
      case ESCAPE:
        if (byte === 0x75) {
          this.#hexLeft = 4
          return HEX
        }
        return isEscape(byte) ? STRING : -1
      case HEX:
        if (!isHex(byte)) return -1
        return --this.#hexLeft === 0 ? STRING : HEX
      case LITERAL:
        if (byte !== this.#literal[this.#literalAt]) return -1
        return ++this.#literalAt === this.#literal.length ? AFTER_VALUE : LITERAL
      default:
        return this.#number(state, byte)
    }
  }

  #value(byte: number): number {
    switch (byte) {
      case 0x22:
        return STRING
      case 0x7b:
        return this.#open(1)
      case 0x5b:
        return this.#open(0)
      case 0x2d:
        return MINUS
      case 0x30:
        return ZERO
      case 0x74:
        return this.#startLiteral(TRUE)
      case 0x66:
        return this.#startLiteral(FALSE)
      case 0x6e:
        return this.#startLiteral(NULL)
      default:
        return isDigit(byte) ? DIGITS : -1
    }
  }

  #key(byte: number): number {
    if (byte !== 0x22) return -1
    this.#stringIsKey = true
    return STRING
  }

  #afterValue(byte: number): number {
    if (this.#depth === 0) return -1
    const isObject = this.#objects[this.#depth - 1]!
    if (byte === 0x2c) return isObject === 1 ? KEY : VALUE
    if (byte === 0x7d) return this.#close(1)
    if (byte === 0x5d) return this.#close(0)
    return -1
  }

  #number(state: number, byte: number): number {
    switch (state) {
      case MINUS:
        if (byte === 0x30) return ZERO
        return isDigit(byte) ? DIGITS : -1
      case DIGITS:
        if (isDigit(byte)) return DIGITS
        break
      case POINT:
        return isDigit(byte) ? FRACTION : -1
      case FRACTION:
        if (isDigit(byte)) return FRACTION
        break
      case EXPONENT:
        if (byte === 0x2b || byte === 0x2d) return EXPONENT_SIGN
        return isDigit(byte) ? EXPONENT_DIGITS : -1
      case EXPONENT_SIGN:
        return isDigit(byte) ? EXPONENT_DIGITS : -1
      case EXPONENT_DIGITS:
        if (isDigit(byte)) return EXPONENT_DIGITS
        break
      default:
        break
    }
    if (byte === 0x2e && (state === ZERO || state === DIGITS)) return POINT
    if ((byte === 0x65 || byte === 0x45) && (state === ZERO || state === DIGITS || state === FRACTION)) return EXPONENT
    return this.#afterValue(byte)
  }

  #open(isObject: number): number {
    if (this.#depth === MAX_DEPTH) return -1
    if (this.#depth === this.#objects.length) {
      const grown = new Uint8Array(this.#objects.length * 2)
      grown.set(this.#objects)
      this.#objects = grown
    }
    this.#objects[this.#depth++] = isObject
    return isObject === 1 ? KEY_OR_END : VALUE_OR_END
  }

  #close(isObject: number): number {
    if (this.#objects[this.#depth - 1] !== isObject) return -1
    this.#depth--
    return AFTER_VALUE
  }

  #startLiteral(literal: Buffer): number {
    this.#literal = literal
    this.#literalAt = 1
    return LITERAL
  }
}

/**
 * The tail of AWS's message for a payload that is not JSON: what was found, and where.
 *
 * @param offset - As returned by {@link JsonCheck}
 */
export function describeJsonFault(body: Buffer, offset: number): string {
  const { line, column } = placeOf(body, offset)
  const where = `\n at [Source: REDACTED; line: ${line}, column: ${column}]`
  const byte = body[offset]
  if (byte === undefined) return `Unexpected end-of-input${where}`
  const shown = byte >= 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}' ` : ''
  return `Unexpected character (${shown}(code ${byte}))${where}`
}

/** Line and column of a byte, both from 1. */
export function placeOf(body: Buffer, offset: number): { readonly line: number; readonly column: number } {
  let line = 1
  let lineStart = 0
  for (let at = body.indexOf(10); at !== -1 && at < offset; at = body.indexOf(10, at + 1)) {
    line++
    lineStart = at + 1
  }
  return { line, column: offset - lineStart + 1 }
}

function endsNumber(state: number): boolean {
  return state === ZERO || state === DIGITS || state === FRACTION || state === EXPONENT_DIGITS
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

function isHex(byte: number): boolean {
  return isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)
}

function isEscape(byte: number): boolean {
  switch (byte) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return true
    default:
      return false
  }
}
