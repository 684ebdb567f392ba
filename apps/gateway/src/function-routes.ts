import type { Executor, FunctionPool, FunctionSpec } from '@hearth/executor'
import { type ArnScope, type FunctionRecord, functionArn, type Policy } from '@hearth/shared'
import type { AliasRoute, EventSettings } from '@hearth/store'
import { type EventRules, eventRulesOf } from './async/event-rules.ts'
import { isSameSpec } from './function-spec.ts'
import { Lineage } from './lineage.ts'
import type { MinuteTarget } from './minutes/minute-table.ts'
import type { ReleaseCounter } from './release-counter.ts'

/** Where a call goes: a version, under the name that the caller used. */
export interface Entry extends MinuteTarget {
  readonly record: FunctionRecord
  readonly spec: FunctionSpec
  /** The ARN as invoked: with the qualifier if one was given. */
  readonly invokedArn: string
  /** Says who else than its account's own callers may use it, under the name that the caller used. */
  readonly policy: Policy | undefined
  readonly pool: FunctionPool
  /** Counts the calls of a release's new version; undefined for all others. */
  readonly counter: ReleaseCounter | undefined
  /** How events are run that were sent under this name. */
  readonly events: EventRules
  /** Finds out when the function calls itself again and again. */
  readonly lineage: Lineage
}

export interface FunctionRoutesOptions {
  readonly executor: Pick<Executor, 'openPool'>
  readonly toSpec: (record: FunctionRecord) => FunctionSpec
  readonly scope: ArnScope
  /** 0 to 1. */
  readonly random: () => number
  readonly findVersion: (name: string, version: string) => FunctionRecord | undefined
  /** Resource policies of a function by qualifier; '' is the function's own. */
  readonly policiesOf: (name: string) => ReadonlyMap<string, Policy>
  readonly counterOf: (release: AliasRoute['release']) => ReleaseCounter | undefined
}

interface Route {
  readonly first: Entry
  readonly second: Entry | undefined
  /** Share of calls that go to the second. */
  readonly weight: number
}

const LATEST = '$LATEST'

/** One function in memory: `$LATEST`, its aliases, and those of its versions that were called. */
export class FunctionRoutes {
  /** For callers who give no qualifier. */
  readonly plain: Entry
  readonly #name: string
  readonly #options: FunctionRoutesOptions
  readonly #versions = new Map<string, Version>()
  readonly #aliases: ReadonlyMap<string, AliasRoute>
  readonly #policies: ReadonlyMap<string, Policy>
  /** By qualifier, each made at its first call. */
  readonly #routes = new Map<string, Route>()

  readonly #eventSettings: EventSettings
  readonly #lineage: Lineage

  constructor(
    latest: FunctionRecord,
    aliases: readonly AliasRoute[],
    eventSettings: EventSettings,
    options: FunctionRoutesOptions
  ) {
    this.#name = latest.name
    this.#eventSettings = eventSettings
    this.#lineage = new Lineage(functionArn(options.scope, latest.name), eventSettings.mayRecurse)
    this.#options = options
    this.#aliases = new Map(aliases.map((alias) => [alias.name, alias]))
    this.#policies = options.policiesOf(latest.name)
    const version = new Version(latest, options)
    this.#versions.set(LATEST, version)
    this.plain = new Destination(
      version,
      functionArn(options.scope, latest.name),
      this.#policies.get(''),
      undefined,
      this.#events(LATEST),
      this.#lineage
    )
  }

  /** @returns undefined when there is no such version or alias */
  find(qualifier: string): Entry | undefined {
    const route = this.#routes.get(qualifier) ?? this.#makeRoute(qualifier)
    if (route?.second === undefined) return route?.first
    return this.#options.random() < route.weight ? route.second : route.first
  }

  /** Whether what its variables stand for may change without the function. */
  get usesSecrets(): boolean {
    for (const { spec } of this.#versions.values()) if (spec.secrets !== undefined) return true
    return false
  }

  /** Takes over the pools of versions whose instances may go on, and retires the others. */
  replace(old: FunctionRoutes): void {
    for (const [name, before] of old.#versions) {
      const now = this.#version(name)
      if (now !== undefined && isSameSpec(before.spec, now.spec)) now.adopt(before)
      else before.retire()
    }
  }

  retire(): void {
    for (const version of this.#versions.values()) version.retire()
  }

  #makeRoute(qualifier: string): Route | undefined {
    const alias = this.#aliases.get(qualifier)
    const arn = functionArn(this.#options.scope, this.#name, qualifier)
    const counter = this.#options.counterOf(alias?.release)
    const events = this.#events(qualifier)
    const destination = (name: string): Entry | undefined => {
      const version = this.#version(name)
      const counts = counter?.watch.version === name ? counter : undefined
      return version && new Destination(version, arn, this.#policies.get(qualifier), counts, events, this.#lineage)
    }
    // What is neither a number nor `$LATEST` is an alias, and all of those are known.
    if (alias === undefined && qualifier !== LATEST && !/^\d+$/.test(qualifier)) return undefined
    const first = destination(alias?.version ?? qualifier)
    if (first === undefined) return undefined
    const [other, weight = 0] = Object.entries(alias?.weights ?? {})[0] ?? []
    const route = { first, second: other === undefined ? undefined : destination(other), weight }
    this.#routes.set(qualifier, route)
    return route
  }

  #events(qualifier: string): EventRules {
    return eventRulesOf(this.#eventSettings.configs.find((config) => config.qualifier === qualifier))
  }

  #version(name: string): Version | undefined {
    const known = this.#versions.get(name)
    if (known !== undefined) return known
    const record = this.#options.findVersion(this.#name, name)
    if (record === undefined) return undefined
    const version = new Version(record, this.#options)
    this.#versions.set(name, version)
    return version
  }
}

/** A version and its instances. */
class Version {
  readonly record: FunctionRecord
  readonly spec: FunctionSpec
  readonly #executor: Pick<Executor, 'openPool'>
  #pool: FunctionPool | undefined

  constructor(record: FunctionRecord, { executor, toSpec }: FunctionRoutesOptions) {
    this.record = record
    this.spec = toSpec(record)
    this.#executor = executor
  }

  /** Made when first needed: most functions of a large server are idle. */
  get pool(): FunctionPool {
    this.#pool ??= this.#executor.openPool(this.spec)
    return this.#pool
  }

  adopt(other: Version): void {
    this.#pool = other.#pool
  }

  retire(): void {
    this.#pool?.retire()
  }
}

class Destination implements Entry {
  readonly record: FunctionRecord
  readonly spec: FunctionSpec
  readonly invokedArn: string
  readonly policy: Policy | undefined
  readonly counter: ReleaseCounter | undefined
  readonly events: EventRules
  readonly lineage: Lineage
  // From the beginning, so that all are of one shape.
  minuteTable = 0
  minuteRow = 0
  readonly #version: Version

  constructor(
    version: Version,
    invokedArn: string,
    policy: Policy | undefined,
    counter: ReleaseCounter | undefined,
    events: EventRules,
    lineage: Lineage
  ) {
    this.record = version.record
    this.spec = version.spec
    this.invokedArn = invokedArn
    this.policy = policy
    this.counter = counter
    this.events = events
    this.lineage = lineage
    this.#version = version
  }

  get pool(): FunctionPool {
    return this.#version.pool
  }
}
