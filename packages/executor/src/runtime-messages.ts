import { LINE_COST_BYTES } from './budget.ts'
import type { Flight } from './flight.ts'
import type { Flights } from './flights.ts'
import type { InstanceLines } from './instance-lines.ts'
import type { Link, LinkListener } from './link.ts'
import { phasesOf } from './outcome.ts'
import {
  ERROR,
  FLAG_EXITING,
  FLAG_PLATFORM,
  FLAG_REST,
  INIT_ERROR,
  INIT_OK,
  LOG,
  LOG_LEVELS,
  RESULT,
  RETURNED,
  SMALL_STREAM_CHUNK_BYTES,
  STARTED,
  STREAM_DATA,
  STREAM_END,
  STREAM_FRAME_COST,
  STREAM_START
} from './protocol.ts'
import { Stream } from './stream.ts'

/** Hears what a runtime says, as far as it may say it. */
export interface RuntimeListener {
  /** Whether its init is under way. */
  readonly isInitializing: boolean
  /** @param flags - Of INIT_OK */
  onInitialized(flags: number): void
  /** @param isRefused - The platform's own part found something wrong: nothing of the function has run */
  onInitError(errorType: string, payload: Buffer, isRefused: boolean): void
  /** It is the turn of this event. */
  begin(flight: Flight): void
  /** It was not begun, and is the instance's no more. */
  onReturned(flight: Flight): void
  /**
   * It is over, and the instance's no more.
   *
   * @param errorType - '' where `status` is `ok`
   * @param ranMs - By the instance's own clock
   * @param exits - The runtime takes nothing else after this
   */
  onAnswer(
    flight: Flight,
    status: 'ok' | 'error',
    payload: Buffer,
    errorType: string,
    ranMs: number,
    exits: boolean
  ): void
  /** @param taken - An event that was the instance's until now */
  onProtocolError(detail: string, taken?: Flight): void
  /** @param unread - It left bytes of ours unread */
  onClose(unread: boolean): void
}

/**
 * What comes from an instance's runtime. Code of the function can write there too: what does not fit the events that the
 * instance has is an offence, and nothing follows from it.
 */
export class RuntimeMessages implements LinkListener {
  readonly #link: Link
  readonly #flights: Flights
  readonly #lines: InstanceLines
  readonly #listener: RuntimeListener

  /** @param flights - The events that the instance has: those that are over are taken out */
  constructor(link: Link, flights: Flights, lines: InstanceLines, listener: RuntimeListener) {
    this.#link = link
    this.#flights = flights
    this.#lines = lines
    this.#listener = listener
  }

  onFrame(type: number, flags: number, seq: number, meta: Buffer, payload: Buffer): void {
    switch (type) {
      case RESULT:
      case ERROR: {
        const flight = this.#flights.take(seq)
        if (flight === undefined) {
          this.onProtocolError(`answer to event ${seq}, which is not in flight`)
          return
        }
        if (flight.stream !== undefined) {
          this.#listener.onProtocolError(`second answer to event ${seq}`, flight)
          return
        }
        const ranMs = meta.readUInt32LE(0) / 1000
        const exits = (flags & FLAG_EXITING) !== 0
        if (type === RESULT) this.#listener.onAnswer(flight, 'ok', payload, '', ranMs, exits)
        else {
          const errorType = meta.toString('latin1', 4) || 'Unhandled'
          this.#listener.onAnswer(flight, 'error', payload, errorType, ranMs, exits)
        }
        return
      }
      case STREAM_START:
      case STREAM_DATA:
      case STREAM_END:
        this.#onStreamFrame(type, flags, seq, meta, payload)
        return
      case LOG: {
        const flight = seq === 0 ? undefined : this.#flights.find(seq)
        const at = meta.readDoubleLE(0)
        const level = LOG_LEVELS[meta.readUInt8(8)] ?? 'INFO'
        this.#lines.write(flight, Number.isFinite(at) ? at : Date.now(), level, payload.toString())
        this.#link.chargeLog(payload.length + LINE_COST_BYTES)
        return
      }
      case STARTED: {
        const flight = this.#flights.find(seq)
        if (flight === undefined) break
        this.#listener.begin(flight)
        return
      }
      case RETURNED: {
        // Only what was sent behind another event can be: anything else could go round for ever.
        if (this.#flights.find(seq)?.presented !== true) {
          this.onProtocolError(`event ${seq} given back, which was not sent ahead`)
          return
        }
        this.#listener.onReturned(this.#flights.take(seq)!)
        return
      }
      case INIT_OK:
        if (!this.#listener.isInitializing) break
        this.#listener.onInitialized(flags)
        return
      case INIT_ERROR: {
        if (!this.#listener.isInitializing) break
        const errorType = meta.toString('latin1') || 'Runtime.Unknown'
        this.#listener.onInitError(errorType, payload, (flags & FLAG_PLATFORM) !== 0)
        return
      }
      default:
    }
    this.onProtocolError(`unexpected frame of type ${type}`)
  }

  #onStreamFrame(type: number, flags: number, seq: number, meta: Buffer, payload: Buffer): void {
    const flight = this.#flights.find(seq)
    const sink = flight?.invocation.stream
    if (flight === undefined || sink === undefined || (flight.stream === undefined) !== (type === STREAM_START)) {
      this.onProtocolError(`frame of type ${type} for event ${seq}, which does not expect it`)
      return
    }
    if (type === STREAM_START) {
      const firstByteMs = performance.now() - flight.startedAt
      const stream = new Stream(seq, firstByteMs, sink, (frame) => this.#link.sendBatched(frame))
      flight.stream = stream
      if (!flight.settled) sink.start(payload.toString('latin1'), phasesOf(flight, firstByteMs), stream)
    } else if (type === STREAM_DATA) {
      // Its time ran out: it gets no more room, and is ended when those beside it are done.
      if (flight.settled) return
      const problem = flight.stream!.data(payload, flags)
      if (problem !== undefined) {
        this.onProtocolError(problem)
        return
      }
      if (payload.length < SMALL_STREAM_CHUNK_BYTES && (flags & FLAG_REST) === 0) this.#link.charge(STREAM_FRAME_COST)
    } else {
      this.#flights.take(seq)
      const errorType = meta.toString('latin1', 4)
      const isOk = errorType === '' && payload.length === 0
      const ranMs = meta.readUInt32LE(0) / 1000
      const exits = (flags & FLAG_EXITING) !== 0
      this.#listener.onAnswer(
        flight,
        isOk ? 'ok' : 'error',
        payload,
        isOk ? '' : errorType || 'Unhandled',
        ranMs,
        exits
      )
    }
  }

  onProtocolError(detail: string): void {
    this.#listener.onProtocolError(detail)
  }

  onClose(unread: boolean): void {
    this.#listener.onClose(unread)
  }
}
