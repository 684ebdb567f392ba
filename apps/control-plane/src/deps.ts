import type { Builder } from '@hearth/builder'
import type { ArnScope, Authenticator, Authorizer, FunctionRecord, Readiness, SessionTokens } from '@hearth/shared'
import type { ArtifactStore, IdempotencyKeys, Telemetry } from '@hearth/store'
import type { Access } from './access/access.ts'
import type { KeyUses } from './access/key-uses.ts'
import type { Alarms } from './alarms/alarms.ts'
import type { Apis } from './apis/apis.ts'
import type { Budgets } from './budgets/budgets.ts'
import type { CodeLinks } from './code-links.ts'
import type { EventRules } from './events/event-rules.ts'
import type { AccountSettings } from './functions/account.ts'
import type { AliasService } from './functions/alias-service.ts'
import type { CodeSigning } from './functions/code-signing.ts'
import type { ConcurrencyService } from './functions/concurrency-service.ts'
import type { EventInvokeService } from './functions/event-invoke-service.ts'
import type { FunctionOptions } from './functions/function-options.ts'
import type { FunctionService } from './functions/function-service.ts'
import type { FunctionTags } from './functions/function-tags.ts'
import type { PermissionService } from './functions/permission-service.ts'
import type { Runtimes } from './functions/runtimes.ts'
import type { VersionService } from './functions/version-service.ts'
import type { LayerAttachments } from './layers/layer-attachments.ts'
import type { LayerService } from './layers/layer-service.ts'
import type { LogGroups } from './logs/log-groups.ts'
import type { MasterKeys } from './master-key/master-keys.ts'
import type { Metrics } from './metrics.ts'
import type { PackageStore } from './packages/package-store.ts'
import type { S3Source } from './packages/s3-source.ts'
import type { ReleaseService } from './releases/release-service.ts'
import type { Schedules } from './scheduler/schedules.ts'
import type { ParameterService } from './secrets/parameter-service.ts'
import type { SecretService } from './secrets/secret-service.ts'
import type { ServiceInvoker } from './service-invoker.ts'
import type { LoadBalancerKindDeps } from './triggers/load-balancer-kind.ts'
import type { WebhookKindDeps } from './triggers/webhook-kind.ts'
import type { UrlService } from './urls/url-service.ts'
import type { UsagePlans } from './usage-plans/usage-plans.ts'
import type { DiagnosticsPartOptions } from './v1/diagnostics-part.ts'
import type { UsageRoutesOptions } from './v1/usage-routes.ts'

/** What the routes are registered on: what the control plane's parts give. */
export interface Deps {
  readonly urls: UrlService
  /** Function URLs are `<id>.` before this name. */
  readonly urlDomain: string
  readonly service: FunctionService
  readonly versions: VersionService
  readonly aliases: AliasService
  readonly releases: ReleaseService
  /** What the gateway proves itself with. */
  readonly internalToken: string
  readonly permissions: PermissionService
  readonly access: Access
  readonly keyUses: KeyUses
  readonly eventInvoke: EventInvokeService
  readonly tags: FunctionTags
  readonly options: FunctionOptions
  readonly codeSigning: CodeSigning
  readonly eventRules: EventRules
  readonly schedules: Schedules
  readonly logGroups: LogGroups
  readonly apis: Apis
  readonly usagePlans: UsagePlans
  readonly usage: UsageRoutesOptions
  readonly budgets: Budgets
  readonly diagnostics: Pick<DiagnosticsPartOptions, 'schema' | 'counts' | 'log'>
  readonly webhooks: Pick<WebhookKindDeps, 'repository' | 'findSecret'>
  readonly loadBalancers: Pick<LoadBalancerKindDeps, 'repository' | 'ownerOf'>
  readonly concurrency: ConcurrencyService
  readonly account: () => AccountSettings
  readonly artifacts: ArtifactStore
  readonly packages: PackageStore
  readonly builder: Builder | undefined
  readonly layers: LayerService
  readonly attachments: LayerAttachments
  readonly s3: S3Source
  readonly links: CodeLinks
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
  readonly sessions: SessionTokens
  readonly auditDir: string
  /** Metrics over time. */
  readonly telemetry: Pick<Telemetry, 'metrics'>
  readonly alarms: Alarms
  readonly invoker: ServiceInvoker
  readonly secrets: SecretService
  readonly parameters: ParameterService
  readonly masterKeys: MasterKeys
  /** Takes in what was changed of keys and rights. */
  readonly refreshAccess: () => void
  /** Requests with an Idempotency-Key. */
  readonly keys: IdempotencyKeys
  readonly now: () => Date
  /** Requests per second and key, failed authentications per minute and address; 0: any number. */
  readonly requestRate: number
  readonly authFailures: number
  readonly metrics: Metrics
  readonly scope: ArnScope
  readonly runtimes: Runtimes
  readonly architecture: FunctionRecord['architecture']
  /** Whether a deploy could be written now. */
  readonly health: () => Readiness
}
