export { createKeysRepository, type KeyRecord, type KeysRepository, type KeyUse } from './access/keys-repository.ts'
export {
  createOwnedPoliciesRepository,
  type OwnedPoliciesRepository,
  type PolicyOwner
} from './access/owned-policies-repository.ts'
export { createPoliciesRepository, type PoliciesRepository } from './access/policies-repository.ts'
export { preparePrincipalLookup } from './access/principal-lookup.ts'
export { createRolesRepository, type RolesRepository } from './access/roles-repository.ts'
export type {
  PolicyRecord,
  PolicyRef,
  PolicyVersionRecord,
  RoleRecord,
  UserRecord
} from './access/types.ts'
export { createUsersRepository, type UsersRepository } from './access/users-repository.ts'
export { type AlarmFilter, type AlarmsRepository, createAlarmsRepository } from './alarms/alarms-repository.ts'
export type {
  AlarmHistoryItem,
  AlarmHistoryQuery,
  AlarmHistoryType,
  AlarmQuery,
  AlarmRecord,
  AlarmSending,
  AlarmSettings,
  AlarmState,
  AlarmStatus,
  AlarmType,
  CompositeAlarmSettings,
  MetricAlarmSettings,
  NewAlarmHistoryItem,
  NewAlarmSending
} from './alarms/types.ts'
export { type AliasesRepository, createAliasesRepository } from './aliases-repository.ts'
export { type ArtifactStore, createArtifactStore, type Stage } from './artifact-store.ts'
export { toAuditEntry } from './audit/audit-entry.ts'
export { AUDIT_FILES, type AuditEntry, type AuditLog, type AuditLogOptions, openAuditLog } from './audit/audit-log.ts'
export { type AuditQuery, readAudit } from './audit/audit-reader.ts'
export { type BudgetsRepository, createBudgetsRepository } from './budgets-repository.ts'
export {
  type CodeSigningConfig,
  type CodeSigningRepository,
  createCodeSigningRepository
} from './code-signing-repository.ts'
export { type ConcurrencyRepository, createConcurrencyRepository } from './concurrency-repository.ts'
export { codeDirOf, type DataLayout, dataLayout, makeDataDir } from './data-dir.ts'
export { type FolderSize, readDataSizes } from './data-sizes.ts'
export { openDirectory } from './directory.ts'
export { writeFileDurably } from './durable-file.ts'
export {
  createEventInvokeRepository,
  type EventInvokeRepository,
  type EventSettings
} from './event-invoke-repository.ts'
export {
  createFunctionOptionsRepository,
  type FunctionOptionsRepository,
  type RecursiveLoop,
  type RuntimeUpdate
} from './function-options-repository.ts'
export {
  createFunctionPoliciesRepository,
  type FunctionPoliciesRepository
} from './function-policies-repository.ts'
export { type FunctionTagsLookup, prepareFunctionTags } from './function-tags.ts'
export { createFunctionUrlsRepository, type FunctionUrlsRepository } from './function-urls-repository.ts'
export {
  createFunctionsRepository,
  type FunctionsRepository,
  LATEST,
  type VersionPosition
} from './functions-repository.ts'
export {
  createIdempotencyKeys,
  type IdempotencyKeys,
  type KeyedAnswer,
  type KeyedRequest,
  type KeyRecord as KeyedRecord
} from './idempotency-keys.ts'
export { watchKeys } from './key-changes.ts'
export {
  createLayersRepository,
  type LayersRepository,
  type LayerVersion,
  type NewLayerVersion
} from './layers-repository.ts'
export type { LogFilters } from './log-groups/log-filters.ts'
export {
  createLogGroupsRepository,
  type LogGroupsRepository,
  type LogSettings,
  type LogSettingsReader,
  prepareLogSettings
} from './log-groups/log-groups-repository.ts'
export { groupOfFunction } from './logs/group-folders.ts'
export { isBefore } from './logs/log-position.ts'
export { createLogReader, type LogReaderOptions } from './logs/log-reader.ts'
export {
  createLogWriter,
  type LogCounts,
  type LogRetention,
  type LogWriter,
  LogWriterBusyError,
  type LogWriterOptions,
  type NewLogEvent
} from './logs/log-writer.ts'
export type {
  LogCut,
  LogEvent,
  LogGroupFacts,
  LogLoss,
  LogPosition,
  LogQuery,
  LogReader,
  LogStreamFacts
} from './logs/types.ts'
export {
  ensureKeyring,
  internalToken,
  type Keyring,
  type MasterKey,
  newMasterKey,
  readKeyring,
  readMasterKey,
  writeKeyring
} from './master-key.ts'
export { runMasterKeyCommand } from './master-key-command.ts'
export { SCHEMA_VERSION, SchemaError } from './migrations.ts'
export { isWritable, lockDataDir, type OpenOptions, openStore } from './open.ts'
export type {
  ArchivedEvent,
  ArchiveTotal,
  EventArchives,
  ReplayPosition,
  ReplayProgress,
  ReplayQuery
} from './queue/archive-types.ts'
export type { QueueOptions } from './queue/batches.ts'
export { openEventQueue } from './queue/client.ts'
export type { FunctionUsageCounts, ProvisionedBlock, UsageBatch } from './queue/function-usage-types.ts'
export {
  type AttemptResult,
  type Backlog,
  type Claimed,
  type Condition,
  type Delivery,
  type DeliveryRecord,
  type DeliveryResult,
  type EventQueue,
  type Fire,
  type InvocationRecord,
  type ListQuery,
  type NewDelivery,
  type NewEvent,
  type QueuedEvent,
  QueueUnavailableError,
  type Receipt,
  type UsageCounts,
  type UsageDay
} from './queue/types.ts'
export { createReleasesRepository, type ReleasesRepository } from './releases-repository.ts'
export { createResealer, type Resealer, SEALED_COLUMNS } from './reseal.ts'
export type { PolicyStatement, ResourcePolicy } from './resource-policy.ts'
export { inspectSchema, type SchemaState } from './schema-state.ts'
export { createSecretBox, keyIdOf, type SecretBox, SecretBoxError } from './secret-box.ts'
export {
  createParametersRepository,
  type ParametersRepository,
  type ParameterTier,
  type ParameterType,
  type ParameterVersion
} from './secrets/parameters-repository.ts'
export {
  createSecretsRepository,
  prepareSecretLookup,
  type SecretInUse,
  type SecretListing,
  type SecretRecord,
  type SecretsRepository,
  type SecretValue,
  type SecretVersionRecord
} from './secrets/secrets-repository.ts'
export { createServerSecrets } from './server-secrets.ts'
export { AddonMismatchError, addonProblem, type Db, sqlitePackage } from './sqlite-addon.ts'
export { combine as combineStatistics } from './telemetry/distribution.ts'
export { createFilterMinutes, type FilterMinutes } from './telemetry/filter-minutes.ts'
export { createLogCursors, type LogCursors } from './telemetry/log-cursors.ts'
export { openTelemetry, type Telemetry, type TelemetryOptions } from './telemetry/open-telemetry.ts'
export { parseStatistic, type Statistic, statisticOf } from './telemetry/statistics.ts'
export type {
  MetricKey,
  MetricPoint,
  MetricQuery,
  MetricSample,
  MetricStore,
  StatisticSet
} from './telemetry/types.ts'
export {
  type ApiPartKind,
  type ApiParts,
  type ApisRepository,
  createApisRepository,
  type PublishedApis
} from './triggers/apis-repository.ts'
export {
  type ArchiveFilter,
  type ArchivesRepository,
  createArchivesRepository
} from './triggers/archives-repository.ts'
export {
  createEventRulesRepository,
  type EventRulesRepository,
  type RuleWithTargets
} from './triggers/event-rules-repository.ts'
export {
  createLoadBalancersRepository,
  type HostOwner,
  type LoadBalancersRepository,
  prepareHostOwner
} from './triggers/load-balancers-repository.ts'
export {
  createSchedulesRepository,
  type SchedulePosition,
  type SchedulesRepository
} from './triggers/schedules-repository.ts'
export {
  createUsagePlansRepository,
  type PublishedUsagePlans,
  type UsagePlansRepository
} from './triggers/usage-plans-repository.ts'
export {
  createWebhooksRepository,
  type SealedWebhook,
  type WebhooksRepository
} from './triggers/webhooks-repository.ts'
export type { AliasRoute, DirectoryReader } from './types.ts'
export { createUsageRepository, type UsageRepository } from './usage-repository.ts'
