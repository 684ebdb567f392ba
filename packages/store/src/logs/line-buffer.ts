/** Less than this is not worth keeping memory for. */
const SMALL_BYTES = 4_096
/** A buffer that a flood has made larger than this is given up. */
const KEPT_BYTES = 262_144

/**
 * Text that waits for the disk, as bytes outside of the JavaScript heap: strings that are kept would be copied by the
 * garbage collector again and again, which costs more than all the rest of logging.
 */
export class LineBuffer {
  #bytes: Buffer | undefined
  #spare: Buffer | undefined
  #length = 0

  get length(): number {
    return this.#length
  }

  append(text: string): void {
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    const needed = this.#length + text.length * 3
    let bytes = this.#bytes
    if (bytes === undefined || needed > bytes.length) bytes = this.#grow(needed)
    this.#length += bytes.write(text, this.#length)
  }

  /** What was appended so far; the buffer is empty afterwards. Give it back with `release` once it is written. */
  take(): Buffer {
    const bytes = this.#bytes ?? Buffer.alloc(0)
    const taken = bytes.subarray(0, this.#length)
    this.#bytes = this.#spare
    this.#spare = undefined
    this.#length = 0
    return taken
  }

  /** The bytes of {@link take} are of no use any more: their memory serves the next lines. */
  release(taken: Buffer): void {
    if (taken.length < SMALL_BYTES || taken.buffer.byteLength > KEPT_BYTES) return
    this.#spare = Buffer.from(taken.buffer)
  }

  #grow(needed: number): Buffer {
    const grown = Buffer.allocUnsafeSlow(Math.max(SMALL_BYTES, 2 ** Math.ceil(Math.log2(needed))))
    this.#bytes?.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
    return grown
  }
}
