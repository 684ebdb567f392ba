import type { GroupFiles } from './group-files.ts'
import { LineBuffer } from './line-buffer.ts'
import { ownerOf } from './lines.ts'

/** Events from outside that wait for the disk. */
interface WaitingEvents {
  readonly lines: Buffer
  readonly resolve: () => void
  readonly reject: (err: unknown) => void
}

/** All that waited for the disk at one time. */
export interface Batch {
  /** Of functions. Give it back with `text.release` once it is written. */
  readonly bytes: Buffer
  readonly lines: number
  /** Lines for which there was no room. */
  readonly dropped: number
  readonly puts: readonly WaitingEvents[]
  readonly chores: (() => Promise<void>)[]
  /** To be called when the rest is done. */
  readonly waiters: readonly (() => void)[]
}

/** What waits for the disk for one group. */
export class WaitingLines {
  readonly group: string
  /** The function whose own group it is, or ''. */
  readonly owner: string
  readonly files: GroupFiles
  /** Queued for, or in, a write. */
  isBusy = false
  readonly listeners = new Set<() => void>()
  #text = new LineBuffer()
  #lines = 0
  #dropped = 0
  /** Whose line was dropped last. */
  #droppedStream = ''
  #puts: WaitingEvents[] = []
  #chores: (() => Promise<void>)[] = []
  #waiters: (() => void)[] = []

  constructor(group: string, files: GroupFiles) {
    this.group = group
    this.owner = ownerOf(group)
    this.files = files
  }

  /** Of the lines. */
  get bytes(): number {
    return this.#text.length
  }

  get hasLines(): boolean {
    return this.#lines > 0 || this.#dropped > 0
  }

  /** Whether there is something to be done now: that lines were lost is said with the next ones. */
  get hasWork(): boolean {
    return this.#lines + this.#waiters.length + this.#puts.length + this.#chores.length > 0
  }

  append(line: string): void {
    this.#text.append(line)
    this.#lines++
  }

  /** There was no room for a line. */
  drop(stream: string): void {
    this.#dropped++
    this.#droppedStream = stream
  }

  put(events: WaitingEvents): void {
    this.#puts.push(events)
  }

  /** Work on the files other than writing lines. */
  addChore(chore: () => Promise<void>): void {
    this.#chores.push(chore)
  }

  addWaiter(onDone: () => void): void {
    this.#waiters.push(onDone)
  }

  /** Takes all that waits. @param lossLine - Says how many lines of a stream and others were lost, behind those before */
  take(lossLine: (dropped: number, stream: string) => string): Batch {
    if (this.#dropped > 0) this.#text.append(lossLine(this.#dropped, this.#droppedStream))
    const batch = {
      bytes: this.#text.take(),
      lines: this.#lines,
      dropped: this.#dropped,
      puts: this.#puts,
      chores: this.#chores,
      waiters: this.#waiters
    }
    this.#lines = 0
    this.#dropped = 0
    this.#puts = []
    this.#chores = []
    this.#waiters = []
    return batch
  }

  /** The batch is written, or given up. */
  release({ bytes }: Batch): void {
    this.#text.release(bytes)
  }

  /** The batch did not reach the disk: the word on what is lost, in the next one that does, counts it too. */
  lose({ lines, dropped }: Batch): void {
    this.#dropped += dropped + lines
  }

  /** Nothing waits, and nothing came for long: its memory is worth more to those that write. */
  shrink(): void {
    this.#text = new LineBuffer()
  }
}
