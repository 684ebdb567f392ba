import { isoTime, SAME_TIME_MS } from './lines.ts'

/** A longer line of a function is cut. */
const LINE_CHARS = 262_144
/** Of a time alone. */
const STAMP_CHARS = 24

/** Lines of the files of groups: one JSON object each, `{t, stream, requestId, level, msg}`, written by hand. */
export class LineFormat {
  readonly #now: () => number
  // Many lines share a millisecond, and formatting a date costs more than the rest of the line.
  #stampedAt = Number.NaN
  #stamp = ''

  /** @param now - Unix time in ms, when what is formatted was taken */
  constructor(now: () => number) {
    this.#now = now
  }

  /** @param functionName - '' where the group says it */
  ofFunction(functionName: string, stream: string, at: number, requestId: string, level: string, text: string): string {
    if (at !== this.#stampedAt) {
      this.#stamp = this.#stampOf(at, SAME_TIME_MS)
      // With the time at which it was taken it is this line's alone.
      this.#stampedAt = this.#stamp.length === STAMP_CHARS ? at : Number.NaN
    }
    const kept = text.length > LINE_CHARS ? `${text.slice(0, LINE_CHARS)}… [cut: ${text.length} characters]` : text
    const owner = functionName === '' ? '' : `,"function":"${functionName}"`
    // Only the text can hold what JSON must escape: the rest is the platform's own.
    return `{"t":"${this.#stamp}","stream":"${stream}","requestId":"${requestId}","level":"${level}"${owner},"msg":${JSON.stringify(kept)}}\n`
  }

  /** An event from outside, as it is. @param stream - As JSON */
  ofEvent(stream: string, at: number, message: string): string {
    return `{"t":"${this.#stampOf(at, 1)}","stream":${stream},"requestId":"","level":"","function":"","msg":${JSON.stringify(message)}}\n`
  }

  /** In place of lines that were lost. */
  ofLoss(dropped: number, stream: string): string {
    const msg = `${dropped} log line${dropped === 1 ? ' was' : 's were'} dropped here: they came faster than the disk takes them, or the disk failed.`
    return `{"t":"${new Date(this.#now()).toISOString()}","stream":"${stream}","requestId":"","level":"WARN","msg":${JSON.stringify(msg)}}\n`
  }

  /**
   * The time of an event and, where it differs, that at which it was taken: up to the stream of a line.
   *
   * @param sameMs - Times that differ by less are one
   */
  #stampOf(at: number, sameMs: number): string {
    const takenAt = this.#now()
    // An instance may claim any time; one that is no date at all is replaced by ours.
    const time = isoTime(at)
    const taken = new Date(takenAt).toISOString()
    if (time === undefined || Math.abs(takenAt - at) < sameMs) return time ?? taken
    return `${time}","ingested":"${taken}`
  }
}
