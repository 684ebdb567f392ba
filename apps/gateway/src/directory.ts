import type { Executor, FunctionPool, FunctionSpec } from '@hearth/executor'
import { type AccessKey, type ArnScope, type FunctionRecord, functionArn } from '@hearth/shared'
import type { DirectoryReader } from '@hearth/store'
import { isSameSpec } from './function-spec.ts'

/** One function as the invoke path sees it. */
export interface Entry {
  readonly record: FunctionRecord
  readonly spec: FunctionSpec
  readonly arn: string
  /** The ARN with `:$LATEST`, which is what a caller who named it invokes. */
  readonly latestArn: string
  readonly pool: FunctionPool
}

export interface DirectoryOptions {
  readonly reader: DirectoryReader
  readonly executor: Pick<Executor, 'openPool'>
  readonly toSpec: (record: FunctionRecord) => FunctionSpec
  readonly scope: ArnScope
  /** Called with all keys when one of them changed, before any request is served that comes after the change. */
  readonly onKeys: (keys: readonly AccessKey[]) => void
  /** A function was made or changed, whether or not it was ever asked for. */
  readonly onDeployed: (functionName: string) => void
  readonly onRemoved: (functionName: string) => void
  readonly onError: (err: unknown) => void
  /** How often changes are looked for when no request comes, in ms. */
  readonly watchMs?: number
}

export interface Directory {
  /** Takes in what was committed since the last look; at most one look per turn of the event loop. */
  refresh(): void
  /** As of the last {@link refresh}, looking names up that were not asked for yet. */
  find(name: string): Entry | undefined
  /** Another number than before: something about functions has changed. */
  generation(): number
  close(): void
}

/** Entries revalidated between two turns of the event loop, when the trail of changes was too short. */
const SLICE = 100
const RETRY_MS = 1_000
/** How soon a change is seen when no request comes: instances of a deleted function end by then. */
const WATCH_MS = 1_000

/**
 * The functions, in memory. Who deploys and then calls gets what was deployed: each turn of the event loop asks
 * SQLite once whether another process has committed, and if so drops exactly what changed.
 */
export function createDirectory(options: DirectoryOptions): Directory {
  const { reader, onError } = options
  const entries = new Map<string, DirectoryEntry>()
  /** Names that changed: an entry of one must be compared with the database before it is used. */
  const suspects = new Set<string>()
  let lookedThisTurn = false
  let closed = false
  let version = reader.dataVersion()
  let { seq } = reader.changesSince(0)
  let generation = 0

  const turnOver = (): void => {
    lookedThisTurn = false
  }

  function refresh(): void {
    if (lookedThisTurn || closed) return
    lookedThisTurn = true
    setImmediate(turnOver)
    try {
      const current = reader.dataVersion()
      if (current === version) return
      applyChanges()
      version = current
    } catch (err) {
      // What is in memory goes on being served; the next turn tries again.
      onError(err)
    }
  }

  function applyChanges(): void {
    const changes = reader.changesSince(seq)
    if (changes.reset || changes.functions.length > 0) generation += 1
    if (changes.keys) options.onKeys(reader.listKeys())
    if (changes.reset) {
      for (const name of entries.keys()) suspects.add(name)
    }
    for (const name of changes.functions) {
      suspects.add(name)
      if (entries.has(name)) revalidate(name)
    }
    // Those that nobody asked for yet can wait.
    if (suspects.size > 0) setImmediate(revalidateSlice)
    seq = changes.seq
  }

  function revalidateSlice(): void {
    if (closed || suspects.size === 0) return
    let left = SLICE
    try {
      for (const name of suspects) {
        if (left-- === 0) break
        if (entries.has(name)) revalidate(name)
        else tellOf(name)
      }
    } catch (err) {
      onError(err)
      setTimeout(revalidateSlice, RETRY_MS).unref()
      return
    }
    if (suspects.size > 0) setImmediate(revalidateSlice)
  }

  function tellOf(name: string): void {
    suspects.delete(name)
    if (reader.findFunction(name) === undefined) options.onRemoved(name)
    else options.onDeployed(name)
  }

  /** Compares an entry with the database; its pool goes on only where nothing that an instance knows has changed. */
  function revalidate(name: string): DirectoryEntry | undefined {
    const old = entries.get(name)
    const record = reader.findFunction(name)
    suspects.delete(name)
    if (record === undefined) {
      entries.delete(name)
      old?.retire()
      options.onRemoved(name)
      return undefined
    }
    const spec = options.toSpec(record)
    const fresh = new DirectoryEntry(record, spec, options)
    if (old !== undefined) {
      if (isSameSpec(old.spec, spec)) fresh.adopt(old)
      else old.retire()
    }
    entries.set(name, fresh)
    return fresh
  }

  const watch = setInterval(refresh, options.watchMs ?? WATCH_MS)
  watch.unref()

  return {
    refresh,
    find(name) {
      const entry = entries.get(name)
      if (entry !== undefined && (suspects.size === 0 || !suspects.has(name))) return entry
      if (entry !== undefined) return revalidate(name)
      const record = reader.findFunction(name)
      if (record === undefined) return undefined
      const made = new DirectoryEntry(record, options.toSpec(record), options)
      entries.set(name, made)
      return made
    },
    generation: () => generation,
    close() {
      closed = true
      clearInterval(watch)
      reader.close()
    }
  }
}

class DirectoryEntry implements Entry {
  readonly record: FunctionRecord
  readonly spec: FunctionSpec
  readonly arn: string
  readonly latestArn: string
  readonly #executor: Pick<Executor, 'openPool'>
  #pool: FunctionPool | undefined

  constructor(record: FunctionRecord, spec: FunctionSpec, { executor, scope }: DirectoryOptions) {
    this.record = record
    this.spec = spec
    this.arn = functionArn(scope, record.name)
    this.latestArn = functionArn(scope, record.name, '$LATEST')
    this.#executor = executor
  }

  /** Made when first needed: most functions of a large server are idle. */
  get pool(): FunctionPool {
    this.#pool ??= this.#executor.openPool(this.spec)
    return this.#pool
  }

  adopt(other: DirectoryEntry): void {
    this.#pool = other.#pool
  }

  retire(): void {
    this.#pool?.retire()
  }
}
