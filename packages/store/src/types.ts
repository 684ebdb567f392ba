import type {
  AccessKey,
  AliasRecord,
  EventArchive,
  EventReplay,
  FunctionRecord,
  FunctionUrl,
  LoadBalancer,
  PrincipalSource,
  ProvisionedWish,
  ReleaseWatch,
  Schedule
} from '@hearth/shared'
import type { EventSettings } from './event-invoke-repository.ts'
import type { LogSettingsReader } from './log-groups/log-groups-repository.ts'
import type { PolicyStatement } from './resource-policy.ts'
import type { SecretInUse } from './secrets/secrets-repository.ts'
import type { PublishedApis } from './triggers/apis-repository.ts'
import type { RuleWithTargets } from './triggers/event-rules-repository.ts'
import type { PublishedUsagePlans } from './triggers/usage-plans-repository.ts'
import type { SealedWebhook } from './triggers/webhooks-repository.ts'

/**
 * What the gateway reads: everything by key, and a way to know what changed. Opened read-only.
 */
export interface DirectoryReader extends PrincipalSource {
  /** SQLite's `PRAGMA data_version`: another number means that another process has committed. Microseconds. */
  dataVersion(): number
  /** Names of functions, and whether keys or principals, that changed after `seq`; `reset` when the trail does not reach back that far. */
  changesSince(seq: number): {
    readonly seq: number
    readonly functions: readonly string[]
    readonly keys: boolean
    readonly reset: boolean
  }
  /** @param version - Default: `$LATEST`. */
  findFunction(name: string, version?: string): FunctionRecord | undefined
  /** What `$LATEST` of functions is, the last modified first. Reads through all functions: to be asked for once. */
  listFunctionInfos(limit: number): readonly FunctionInfo[]
  /** The aliases of a function, each with the release that moves it. */
  listAliases(functionName: string): readonly AliasRoute[]
  /** Statements of a function's resource policies; the qualifier of the function's own is ''. */
  listPolicies(
    functionName: string
  ): readonly { readonly qualifier: string; readonly statements: readonly PolicyStatement[] }[]
  /** How events of a function are run. */
  findEventSettings(functionName: string): EventSettings
  /** Releases that are under way. */
  listReleases(): readonly ReleaseWatch[]
  /** Reserved concurrency. Whatever changes it is a change of the function. */
  listReserved(): readonly Reservation[]
  /** What is to be kept initialised. Whatever changes it is a change of the function. */
  listProvisioned(): readonly ProvisionedWish[]
  findUrl(id: string): FunctionUrl | undefined
  /** @returns undefined when there is no such domain; without `url` when the function has none */
  findDomain(host: string): { readonly url: FunctionUrl | undefined } | undefined
  /** Another number than before: buses, rules, targets, schedules, archives, replays, webhooks or load balancers changed. */
  triggerRevision(): number
  readTriggers(): {
    readonly buses: readonly string[]
    readonly rules: readonly RuleWithTargets[]
    readonly schedules: readonly Schedule[]
    readonly archives: readonly EventArchive[]
    /** Those that have not ended. */
    readonly replays: readonly EventReplay[]
    readonly webhooks: readonly SealedWebhook[]
    readonly loadBalancers: readonly LoadBalancer[]
  }
  /** Another number than before: APIs, what their stages serve, or their domains have changed. */
  apiRevision(): number
  readApis(): PublishedApis
  /** Another number than before: API keys or usage plans have changed. */
  usagePlanRevision(): number
  readUsagePlans(): PublishedUsagePlans
  /** What is said of log groups. */
  readonly logSettings: LogSettingsReader
  listKeys(): readonly AccessKey[]
  /** @param stage - A staging label, such as AWSCURRENT. */
  findSecret(name: string, stage: string): SecretInUse | undefined
  /** What the processes of this server share. */
  findServerSecret(name: string): string | undefined
  close(): void
}

export interface FunctionInfo {
  readonly name: string
  readonly runtime: string
  readonly memoryMiB: number
}

/** Events of one function at once, kept free for it; 0: it is switched off. */
export interface Reservation {
  readonly functionName: string
  readonly reserved: number
}

/** An alias as calls through it need it. */
export interface AliasRoute extends Pick<AliasRecord, 'name' | 'version' | 'weights'> {
  readonly release: ReleaseWatch | undefined
}
