import type { Phases } from '@hearth/executor'
import type { Call } from './call.ts'
import { RawStream } from './raw-stream.ts'
import { toResponseHead } from './url-response.ts'

const HTTP_TYPE = 'application/vnd.awslambda.http-integration-response'
/** What stands between the description of the response and its body. */
const DELIMITER = Buffer.alloc(8)
/** Ours: a description of headers is refused beyond this size. */
const MAX_PRELUDE_BYTES = 65_536

/** The response of a function's URL: a stream that may begin with a description of status, headers and cookies. */
export class HttpStream extends RawStream {
  /** What came of the description, until it is whole; undefined when none is awaited. */
  #prelude: Buffer | undefined
  #phases: Phases | undefined
  #isInvalid = false
  readonly #beside: readonly string[]

  /** @param beside - Headers of the door's own */
  constructor(call: Call, beside: readonly string[]) {
    super(call)
    this.#beside = beside
  }

  /** Whether it described no response that could be sent: that was answered. */
  get isInvalid(): boolean {
    return this.#isInvalid || this.#prelude !== undefined
  }

  override finish(): void {
    if (!this.isInvalid) super.finish()
  }

  protected override begin(contentType: string, phases: Phases): void {
    this.#phases = phases
    if (contentType.split(';')[0]?.trim().toLowerCase() === HTTP_TYPE) this.#prelude = Buffer.alloc(0)
    else super.begin(contentType, phases)
  }

  protected override piece(bytes: Buffer, sent: () => void): void {
    if (this.#isInvalid) {
      sent()
      return
    }
    if (this.#prelude === undefined) {
      super.piece(bytes, sent)
      return
    }
    const all = Buffer.concat([this.#prelude, bytes])
    const end = all.indexOf(DELIMITER)
    if (end < 0 && all.length <= MAX_PRELUDE_BYTES) {
      this.#prelude = all
      sent()
      return
    }
    this.#prelude = undefined
    const head = end < 0 || end > MAX_PRELUDE_BYTES ? undefined : toResponseHead(all.subarray(0, end))
    if (head === undefined) {
      this.#isInvalid = true
      sent()
      return
    }
    this.head(head.status, head.headers, this.#phases!)
    const rest = all.subarray(end + DELIMITER.length)
    // Headers without a body yet are an answer too.
    if (rest.length > 0) super.piece(rest, sent)
    else {
      this.call.res.flushHeaders()
      sent()
    }
  }

  protected override head(status: number, headers: string[], phases: Phases): void {
    const { req, res, url } = this.call
    const allowed = url?.cors === undefined ? headers : url.cors.apply(req, headers)
    res.writeHead(status, [...allowed, ...this.ownHeaders(phases), ...this.#beside])
  }
}
