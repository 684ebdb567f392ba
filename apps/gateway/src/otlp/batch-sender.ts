import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const compress = promisify(gzip)

/** Why something was not sent. */
export type DropReason = 'full' | 'refused' | 'unreachable' | 'stopped'

export interface BatchSenderOptions<T> {
  /** http or https. */
  readonly url: string
  /** Names and values, secrets among them: in no log, and in no error. */
  readonly headers: Readonly<Record<string, string>>
  /** The body, and how many items it has, as the receiver counts. */
  readonly encode: (items: readonly T[]) => { readonly body: string; readonly count: number }
  /** How many an item will be. */
  readonly countOf: (item: T) => number
  readonly onSent: (count: number) => void
  readonly onDropped: (count: number, reason: DropReason) => void
  /** The receiver does not take what is sent. @param reason - Without addresses and headers */
  readonly onProblem: (reason: string) => void
  readonly limits?: Partial<SenderLimits>
  /** 0 to 1. Default: Math.random. */
  readonly random?: () => number
}

export interface SenderLimits {
  /** Items that wait at most; more are dropped. */
  readonly waiting: number
  readonly batch: number
  /** How long an item waits for others, in ms. */
  readonly delayMs: number
  /** What one request may take, in ms. */
  readonly requestMs: number
  /** First and longest pause before another try, in ms. */
  readonly pauseMs: number
  readonly longestPauseMs: number
  /** How long one batch is tried for, in ms. */
  readonly giveUpMs: number
}

export interface BatchSender<T> {
  /** Notes an item. Called on the hot path. */
  push(item: T): void
  readonly waiting: number
  /** Sends what waits, and drops what is left after this long. Idempotent. */
  stop(withinMs: number): Promise<void>
}

const LIMITS: SenderLimits = {
  waiting: 8_192,
  batch: 256,
  delayMs: 1_000,
  requestMs: 10_000,
  pauseMs: 1_000,
  longestPauseMs: 30_000,
  giveUpMs: 300_000
}
/** Source: OTLP specification, OTLP/HTTP, retryable response codes. */
const RETRYABLE = new Set([429, 502, 503, 504])
/** Of an answer, in which a receiver says what it did not take. */
const ANSWER_BYTES = 65_536

type Attempt =
  | { readonly taken: true; readonly refused: number; readonly reason: string }
  | {
      readonly taken: false
      readonly mayRetry: boolean
      readonly reason: string
      /** As the receiver asks, in ms. */
      readonly pauseMs: number | undefined
    }

/** Sends items in batches to an OTLP receiver, one request at a time. What it cannot take is dropped and counted. */
export function createBatchSender<T>(options: BatchSenderOptions<T>): BatchSender<T> {
  const limits = { ...LIMITS, ...options.limits }
  const { url, encode, countOf, onSent, onDropped, onProblem, random = Math.random } = options
  const headers = { ...options.headers, 'content-type': 'application/json', 'content-encoding': 'gzip' }
  const abort = new AbortController()
  let queue: T[] = []
  let timer: NodeJS.Timeout | undefined
  let sending: Promise<void> | undefined
  let stopping: Promise<void> | undefined
  let wake = (): void => undefined

  function arm(): void {
    if (timer !== undefined || sending !== undefined) return
    timer = setTimeout(flush, limits.delayMs)
    timer.unref()
  }

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    sending ??= sendAll().finally(() => {
      sending = undefined
      if (queue.length > 0 && stopping === undefined) arm()
    })
  }

  /** Until less than a batch is left; when stopping, until nothing is. */
  async function sendAll(): Promise<void> {
    do {
      const items = queue.splice(0, limits.batch)
      if (items.length > 0) await send(items)
    } while (queue.length >= limits.batch || (stopping !== undefined && queue.length > 0))
  }

  async function send(items: readonly T[]): Promise<void> {
    const { body, count } = encode(items)
    const bytes: Uint8Array<ArrayBuffer> = await compress(body)
    const startedAt = performance.now()
    for (let pause = limits.pauseMs; ; pause = Math.min(pause * 2, limits.longestPauseMs)) {
      if (abort.signal.aborted) {
        onDropped(count, 'stopped')
        return
      }
      const attempt = await post(bytes)
      if (attempt.taken) {
        onSent(count - attempt.refused)
        if (attempt.refused > 0) onDropped(attempt.refused, 'refused')
        if (attempt.reason !== '') onProblem(attempt.reason)
        return
      }
      if (!abort.signal.aborted) onProblem(attempt.reason)
      // With half of it left to chance, so that not all come back at once.
      const next = attempt.pauseMs ?? pause * (0.5 + random() / 2)
      if (!attempt.mayRetry || performance.now() - startedAt + next > limits.giveUpMs) {
        onDropped(count, attempt.mayRetry ? 'unreachable' : 'refused')
        return
      }
      if (!abort.signal.aborted) await sleep(next)
    }
  }

  async function post(body: Uint8Array<ArrayBuffer>): Promise<Attempt> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body,
        redirect: 'manual',
        signal: AbortSignal.any([abort.signal, AbortSignal.timeout(limits.requestMs)])
      })
      const text = await readSome(response)
      if (response.ok) return { taken: true, ...refusedOf(text) }
      return {
        taken: false,
        mayRetry: RETRYABLE.has(response.status),
        reason: `it answered with status ${response.status}`,
        pauseMs: retryAfterMs(response.headers.get('retry-after'))
      }
    } catch (err) {
      return { taken: false, mayRetry: true, reason: `it cannot be reached: ${reasonOf(err)}`, pauseMs: undefined }
    }
  }

  /** Shorter when the sender stops. */
  function sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const pausing = setTimeout(done, ms)
      pausing.unref()
      wake = done
      function done(): void {
        clearTimeout(pausing)
        wake = () => undefined
        resolve()
      }
      if (stopping !== undefined) setTimeout(done, Math.min(ms, limits.pauseMs))
    })
  }

  return {
    push(item) {
      if (queue.length >= limits.waiting || stopping !== undefined) {
        onDropped(countOf(item), stopping === undefined ? 'full' : 'stopped')
        return
      }
      queue.push(item)
      if (queue.length >= limits.batch) {
        if (sending === undefined) flush()
      } else arm()
    },
    get waiting() {
      return queue.length
    },
    stop(withinMs) {
      stopping ??= (async () => {
        const deadline = setTimeout(() => {
          abort.abort()
          wake()
        }, withinMs)
        wake()
        // One that runs saw the end of the queue before it was told to go on.
        while (sending !== undefined || (queue.length > 0 && !abort.signal.aborted)) {
          flush()
          await sending
        }
        clearTimeout(deadline)
        const left = queue
        queue = []
        if (left.length > 0)
          onDropped(
            left.reduce((sum, item) => sum + countOf(item), 0),
            'stopped'
          )
      })()
      return stopping
    }
  }
}

/** A receiver that sends without end is not listened to. */
async function readSome(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** `partialSuccess` of traces and of logs. */
function refusedOf(text: string): { readonly refused: number; readonly reason: string } {
  try {
    const { partialSuccess } = JSON.parse(text) as { readonly partialSuccess?: Record<string, unknown> }
    const { rejectedSpans, rejectedLogRecords, errorMessage } = partialSuccess ?? {}
    const refused = Number(rejectedSpans ?? rejectedLogRecords ?? 0)
    return {
      refused: Number.isSafeInteger(refused) && refused > 0 ? refused : 0,
      reason: typeof errorMessage === 'string' ? errorMessage.slice(0, 256) : ''
    }
  } catch {
    // Not JSON, or nothing at all: it took everything.
    return { refused: 0, reason: '' }
  }
}

/** Seconds, or a date. */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined
  const ms = /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}

/** Codes, not messages. */
function reasonOf(err: unknown): string {
  const { name, cause } = err as Error & { readonly cause?: { readonly code?: unknown } }
  return typeof cause?.code === 'string' ? cause.code : name
}
