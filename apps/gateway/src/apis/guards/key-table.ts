import { createHash } from 'node:crypto'
import type { UsagePlan } from '@hearth/shared'
import type { DirectoryReader } from '@hearth/store'

export type UsagePlanReader = Pick<DirectoryReader, 'dataVersion' | 'usagePlanRevision' | 'readUsagePlans'>

/** A key that belongs to a plan. */
export interface KnownKey {
  readonly id: string
  readonly isEnabled: boolean
  /** By their ids. */
  readonly plans: readonly UsagePlan[]
}

/** API keys and usage plans, in memory. */
export interface KeyTable {
  attach(reader: UsagePlanReader): void
  /** @param value - As it was sent */
  findKey(value: string): KnownKey | undefined
  findPlan(name: string): UsagePlan | undefined
  /** Ids of a plan's keys. */
  keysOf(planId: string): readonly string[]
}

/** No key is longer: what is, is not hashed. */
const LONGEST = 128

export function createKeyTable(onError: (err: unknown) => void): KeyTable {
  let reader: UsagePlanReader | undefined
  let keys = new Map<string, KnownKey>()
  let plans = new Map<string, UsagePlan>()
  let dataVersion = -1
  let revision = -1
  let lookedThisTurn = false

  const turnOver = (): void => {
    lookedThisTurn = false
  }

  /** At most one look per turn of the event loop. */
  function refresh(): void {
    if (lookedThisTurn || reader === undefined) return
    lookedThisTurn = true
    setImmediate(turnOver)
    try {
      const currentData = reader.dataVersion()
      if (currentData === dataVersion) return
      const current = reader.usagePlanRevision()
      if (current !== revision) read(reader)
      revision = current
      dataVersion = currentData
    } catch (err) {
      // What is in memory goes on; the next look tries again.
      onError(err)
    }
  }

  function read(from: UsagePlanReader): void {
    const found = from.readUsagePlans()
    const byId = new Map(found.plans.map((plan) => [plan.id, plan]))
    plans = new Map(found.plans.map((plan) => [plan.name, plan]))
    keys = new Map(
      found.keys.map(({ id, valueHash, isEnabled, planIds }) => {
        const own = [...planIds].sort().flatMap((planId) => byId.get(planId) ?? [])
        return [valueHash, { id, isEnabled, plans: own }]
      })
    )
  }

  return {
    attach(opened) {
      reader = opened
      dataVersion = -1
      revision = -1
    },
    findKey(value) {
      refresh()
      // Looked up by its hash: how long that takes says nothing about the key.
      return value.length > LONGEST ? undefined : keys.get(createHash('sha256').update(value).digest('hex'))
    },
    findPlan(name) {
      refresh()
      return plans.get(name)
    },
    keysOf: (planId) =>
      [...keys.values()].filter((key) => key.plans.some(({ id }) => id === planId)).map(({ id }) => id)
  }
}
