import type { Executor, FunctionSpec } from '@hearth/executor'
import {
  type AccessKey,
  type ArnScope,
  compilePolicy,
  type FunctionRecord,
  type Policy,
  type ProvisionedReport,
  type ReleaseWatch
} from '@hearth/shared'
import type { DirectoryReader } from '@hearth/store'
import { createConcurrency, type KeptVersion } from './concurrency.ts'
import { type Entry, FunctionRoutes, type FunctionRoutesOptions } from './function-routes.ts'
import { ReleaseCounter } from './release-counter.ts'

export interface DirectoryOptions {
  readonly reader: DirectoryReader
  readonly executor: Pick<Executor, 'openPool' | 'setReserved'>
  readonly toSpec: (record: FunctionRecord) => FunctionSpec
  readonly scope: ArnScope
  /** Called with all keys when one of them, or what somebody is allowed, changed, before any request is served that comes after the change. */
  readonly onKeys: (keys: readonly AccessKey[]) => void
  /** A function was made or changed, whether or not it was ever asked for. */
  readonly onDeployed: (latest: FunctionRecord) => void
  readonly onRemoved: (functionName: string) => void
  /** At the first look, and when another process has committed something, whatever it was; what it throws is tried again. */
  readonly onCommitted?: () => void
  readonly onError: (err: unknown) => void
  /** Chooses between the versions of an alias: 0 to 1. Default: Math.random. */
  readonly random?: () => number
  /** How often changes are looked for when no request comes, in ms. */
  readonly watchMs?: number
}

export interface Directory {
  /** Takes in what was committed since the last look; at most one look per turn of the event loop. */
  refresh(): void
  /**
   * As of the last {@link refresh}, looking names up that were not asked for yet. Of an alias that points to two
   * versions each call finds one by its weight.
   */
  find(name: string, qualifier?: string): Entry | undefined
  /** What is counted for releases that are under way. */
  counters(): Iterable<ReleaseCounter>
  /** How far the instances are that are to be kept initialised. */
  provisioned(): readonly ProvisionedReport[]
  /** Which these are. */
  kept(): readonly KeptVersion[]
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
  const entries = new Map<string, FunctionRoutes>()
  /** Names that changed: an entry of one must be compared with the database before it is used. */
  const suspects = new Set<string>()
  let lookedThisTurn = false
  let closed = false
  /** Undefined before the first look. */
  let version: number | undefined
  let { seq } = reader.changesSince(0)
  let generation = 0
  let counters = new Map<string, ReleaseCounter>()
  watchReleases()
  const routesOptions: FunctionRoutesOptions = {
    executor: options.executor,
    toSpec: options.toSpec,
    scope: options.scope,
    random: options.random ?? Math.random,
    findVersion: (name, wanted) => reader.findFunction(name, wanted),
    policiesOf: (name) =>
      new Map(reader.listPolicies(name).map(({ qualifier, statements }) => [qualifier, policyOf(statements)])),
    counterOf: (release) => release && counterOf(release)
  }

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
      options.onCommitted?.()
      version = current
    } catch (err) {
      // What is in memory goes on being served; the next turn tries again.
      onError(err)
    }
  }

  function applyChanges(): void {
    const changes = reader.changesSince(seq)
    if (changes.reset || changes.functions.length > 0) generation += 1
    watchReleases()
    if (changes.keys) {
      options.onKeys(reader.listKeys())
      // Secrets go with keys in the trail: another version may be the one to use now.
      for (const [name, routes] of entries) if (routes.usesSecrets) suspects.add(name)
    }
    if (changes.reset) {
      for (const name of entries.keys()) suspects.add(name)
    }
    for (const name of changes.functions) {
      suspects.add(name)
      if (entries.has(name)) revalidate(name)
    }
    // Those that nobody asked for yet can wait.
    if (suspects.size > 0) setImmediate(revalidateSlice)
    if (changes.reset || changes.functions.length > 0) concurrency.update()
    seq = changes.seq
  }

  /** Each step of a release is counted anew. */
  function watchReleases(): void {
    const before = counters
    counters = new Map()
    for (const release of reader.listReleases()) {
      const known = before.get(release.id)
      counters.set(release.id, known?.watch.step === release.step ? known : new ReleaseCounter(release))
    }
  }

  function counterOf(release: ReleaseWatch): ReleaseCounter {
    const known = counters.get(release.id)
    if (known?.watch.step === release.step) return known
    // It began between two looks at the database.
    const made = new ReleaseCounter(release)
    counters.set(release.id, made)
    return made
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
    const latest = reader.findFunction(name)
    if (latest === undefined) options.onRemoved(name)
    else options.onDeployed(latest)
  }

  /** Compares an entry with the database; a pool goes on only where nothing that an instance knows has changed. */
  function revalidate(name: string): FunctionRoutes | undefined {
    const old = entries.get(name)
    const record = reader.findFunction(name)
    suspects.delete(name)
    if (record === undefined) {
      entries.delete(name)
      old?.retire()
      options.onRemoved(name)
      return undefined
    }
    const fresh = new FunctionRoutes(record, reader.listAliases(name), reader.findEventSettings(name), routesOptions)
    if (old !== undefined) fresh.replace(old)
    entries.set(name, fresh)
    options.onDeployed(record)
    return fresh
  }

  function routesOf(name: string): FunctionRoutes | undefined {
    const known = entries.get(name)
    if (known !== undefined && (suspects.size === 0 || !suspects.has(name))) return known
    if (known !== undefined) return revalidate(name)
    const record = reader.findFunction(name)
    if (record === undefined) return undefined
    const made = new FunctionRoutes(record, reader.listAliases(name), reader.findEventSettings(name), routesOptions)
    entries.set(name, made)
    options.onDeployed(record)
    return made
  }

  const concurrency = createConcurrency({
    reader,
    executor: options.executor,
    poolOf: (name, version) => routesOf(name)?.find(version)?.pool
  })
  try {
    concurrency.update()
  } catch (err) {
    onError(err)
  }

  const watch = setInterval(refresh, options.watchMs ?? WATCH_MS)
  watch.unref()

  return {
    refresh,
    find(name, qualifier) {
      const routes = routesOf(name)
      return qualifier === undefined ? routes?.plain : routes?.find(qualifier)
    },
    generation: () => generation,
    counters: () => counters.values(),
    provisioned: () => concurrency.reports(),
    kept: () => concurrency.kept(),
    close() {
      closed = true
      clearInterval(watch)
      reader.close()
    }
  }
}

function policyOf(statements: readonly object[]): Policy {
  return compilePolicy({ Version: '2012-10-17', Statement: statements }, 'resource', 'resource policy')
}
