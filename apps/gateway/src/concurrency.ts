import type { Executor, FunctionPool } from '@hearth/executor'
import type { ProvisionedReport, ProvisionedWish } from '@hearth/shared'
import type { DirectoryReader } from '@hearth/store'
import { ARCHITECTURE } from './usage/function-usage.ts'
import type { ProvisionedKept } from './usage/provisioned-blocks.ts'

export interface ConcurrencyOptions {
  readonly reader: Pick<DirectoryReader, 'listReserved' | 'listProvisioned'>
  readonly executor: Pick<Executor, 'setReserved'>
  /** @returns undefined when there is no such version */
  readonly poolOf: (functionName: string, version: string) => FunctionPool | undefined
}

/** Tells the executor what is reserved and provisioned. */
export interface Concurrency {
  /** To be called when something about functions has changed. */
  update(): void
  reports(): readonly ProvisionedReport[]
  /** What is to be kept, whether or not it is there yet. */
  kept(): readonly KeptVersion[]
}

export interface KeptVersion extends ProvisionedKept {
  /** That the qualifier points to. */
  readonly version: string
}

/** What one version is to keep initialised, over all qualifiers that point to it. */
interface Kept {
  readonly wishes: ProvisionedWish[]
  readonly pool: FunctionPool
}

export function createConcurrency({ reader, executor, poolOf }: ConcurrencyOptions): Concurrency {
  let reserved = new Map<string, number>()
  let kept = new Map<FunctionPool, Kept>()

  function updateReserved(): void {
    const before = reserved
    reserved = new Map(reader.listReserved().map((one) => [one.functionName, one.reserved]))
    for (const name of before.keys()) if (!reserved.has(name)) executor.setReserved(name, undefined)
    for (const [name, count] of reserved) if (before.get(name) !== count) executor.setReserved(name, count)
  }

  function updateProvisioned(): void {
    const before = kept
    kept = new Map()
    for (const wish of reader.listProvisioned()) {
      const pool = poolOf(wish.functionName, wish.version)
      if (pool === undefined) continue
      const known = kept.get(pool)
      if (known === undefined) kept.set(pool, { pool, wishes: [wish] })
      else known.wishes.push(wish)
    }
    for (const pool of before.keys()) if (!kept.has(pool)) pool.provision(0)
    for (const { pool, wishes } of kept.values()) {
      // Once more the same is a new try.
      if (revisionsOf(before.get(pool)) === revisionsOf({ pool, wishes })) continue
      pool.provision(wishes.reduce((sum, { requested }) => sum + requested, 0))
    }
  }

  return {
    update() {
      updateReserved()
      updateProvisioned()
    },
    reports: () => [...kept.values()].flatMap(reportsOf),
    kept: () => [...kept.values()].flatMap(billedOf)
  }
}

function billedOf({ wishes, pool: { spec } }: Kept): KeptVersion[] {
  const { role = '', memoryMiB } = spec
  return wishes.map(({ functionName, qualifier, requested }) => ({
    functionName,
    qualifier,
    version: spec.version,
    requested,
    role,
    memoryMiB,
    architecture: ARCHITECTURE
  }))
}

function revisionsOf(kept: Kept | undefined): string {
  return kept?.wishes.map(({ revisionId }) => revisionId).join() ?? ''
}

/** Instances of a version count for its qualifiers in turn. */
function reportsOf({ pool, wishes }: Kept): ProvisionedReport[] {
  const { available, status, statusReason } = pool.provisioned()
  let left = available
  return wishes.map(({ functionName, qualifier, revisionId, requested }) => {
    const own = Math.min(left, requested)
    left -= own
    return {
      functionName,
      qualifier,
      revisionId,
      allocated: own,
      available: own,
      ...(own === requested ? { status: 'READY', statusReason: undefined } : { status, statusReason })
    }
  })
}
