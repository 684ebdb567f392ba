export { type AuthBackoff, createAuthBackoff } from './abuse/auth-backoff.ts'
export { createRequestRate, type RequestRate } from './abuse/request-rate.ts'
export { type Authorizer, type AuthorizerOptions, createAuthorizer, type Wish } from './access/authorizer.ts'
export { functionSession } from './access/execution-role.ts'
export type {
  IdentityRecord,
  PolicyText,
  PrincipalPolicies,
  PrincipalSource,
  RoleIdentity,
  UserIdentity
} from './access/principal-source.ts'
export type { RequestFacts } from './access/request-keys.ts'
export { NO_REQUEST, secretWish } from './access/secret-wish.ts'
export { findServiceRole, LAMBDA_SERVICE } from './access/service-role.ts'
export { ALIAS_NAME, type AliasRecord } from './alias.ts'
export { archiveArn, type EventArchive, type EventReplay, type ReplayState, replayArn } from './archives.ts'
export { type ArnScope, FUNCTION_NAME, type FunctionRef, functionArn, parseFunctionRef } from './arn.ts'
export {
  type Authenticated,
  type Authenticator,
  type AuthenticatorOptions,
  createAuthenticator,
  type Taken
} from './auth/authenticator.ts'
export { canonicalRequest } from './auth/canonical-request.ts'
export { GATEWAY_PROOF_HEADER } from './auth/gateway-proof.ts'
export { newKeyId, newSecretKey, newUniqueId } from './auth/new-ids.ts'
export type { AccessKey, Principal, Session } from './auth/principal.ts'
export {
  createSessionTokens,
  type Sealer,
  type SessionTokens,
  sessionPrincipal,
  type TemporaryCredentials
} from './auth/session-tokens.ts'
export { invalidSignature, type SignedRequest } from './auth/signed-request.ts'
export { isPresigned, type Payloads, type Signature, signingKey } from './auth/sigv4.ts'
export type { Budget, BudgetAlert, BudgetScope, BudgetSettings, BudgetUnit } from './budget.ts'
export { type CheckedAddresses, createCheckedAddresses } from './checked-addresses.ts'
export {
  minUnreserved,
  type ProvisionedConcurrency,
  type ProvisionedProgress,
  type ProvisionedReport,
  type ProvisionedStatus,
  type ProvisionedWish
} from './concurrency.ts'
export { type BuildConfig, type Config, readConfig, redactConfig, SECRET_VARIABLES, secretsOf } from './config.ts'
export { ConfigError } from './config-error.ts'
export { type CursorRequest, fromCursor, type ListQuery, toCursor } from './cursor.ts'
export {
  type AwsError,
  type ErrorCode,
  type ErrorDetail,
  errorCatalogue,
  type Fault,
  HearthError,
  type HearthErrorOptions,
  type Problem,
  toAwsError,
  toProblem
} from './errors.ts'
export { type Destination, type EventInvokeConfig, webhookKey } from './event-invoke.ts'
export { compileEventPattern, type PatternNode } from './event-pattern/compile.ts'
export { matchesEvent, prepareEvent } from './event-pattern/match.ts'
export { createRuleIndex, type RuleIndex } from './event-pattern/rule-index.ts'
export type {
  FunctionLayers,
  FunctionRecord,
  InstanceBackend,
  InvokeMode,
  LoggingConfig,
  LogLevel,
  NetworkPolicy
} from './function.ts'
export {
  type CorsConfig,
  type Domain,
  FUNCTION_URL_ID,
  type FunctionUrl,
  type FunctionUrlAuthType,
  hostName
} from './function-url.ts'
export { type Check, createReadiness, type Health, type Readiness } from './health.ts'
export {
  API_ID,
  type Api,
  type ApiAuthorizer,
  type ApiDeployment,
  type ApiDomain,
  type ApiIntegration,
  type ApiMapping,
  type ApiRoute,
  type ApiSnapshot,
  type ApiStage,
  type ApiStaticFiles,
  apiGatewayArn,
  executeApiArn,
  type PublishedApi,
  type RouteAuthorization,
  type RouteThrottle
} from './http-api.ts'
export {
  answerMissing,
  IDEMPOTENCY_ANSWER_BYTES,
  IDEMPOTENCY_KEEP_MS,
  keyInFlight,
  keyReused,
  REPLAYED_HEADER,
  readIdempotencyKey,
  requestFingerprint
} from './idempotency.ts'
export { describeJsonFault, JsonCheck } from './json-check.ts'
export { toJsonError } from './json-error.ts'
export {
  LAYER_NAME,
  LAYER_NAME_PATTERN,
  LAYER_VERSION_ARN_PATTERN,
  type LayerVersionRef,
  layerArn,
  layerVersionArn,
  parseLayerName,
  parseLayerVersionArn
} from './layer-arn.ts'
export { LIMITS } from './limits.ts'
export {
  type FixedResponse,
  functionsOf,
  LOAD_BALANCER_LIMITS,
  LOAD_BALANCER_SERVICE,
  type LoadBalancer,
  type LoadBalancerAction,
  type LoadBalancerConditions,
  type LoadBalancerRule,
  type LoadBalancerSettings,
  loadBalancerArn,
  parseStatusMatcher,
  type Redirect,
  type TargetHealthCheck,
  targetGroupArn
} from './load-balancer.ts'
export { logEventIds } from './log-event-id.ts'
export type { LogExportConfig } from './log-export-config.ts'
export { compileLogFilter } from './log-filter/compile.ts'
export type { LogFilter, LogMatch } from './log-filter/types.ts'
export {
  LOG_GROUP_CLASSES,
  type LogGroup,
  type LogGroupClass,
  type LogRemoval,
  type LogStream,
  logGroupArn,
  type MetricFilter,
  type MetricTransformation,
  RETENTION_DAYS,
  type SubscriptionFilter
} from './log-groups.ts'
export { createLogTail, type LogTail } from './log-tail.ts'
export { checkMath, evaluateMath, type MathQuery } from './metric-math/evaluate.ts'
export type { MathContext } from './metric-math/functions.ts'
export { MathError } from './metric-math/math-error.ts'
export { type Expression, idsOf, parseMath } from './metric-math/parse.ts'
export { type MathValue, type Series, seriesOf } from './metric-math/series.ts'
export type { OtlpTarget, TraceConfig } from './otlp-config.ts'
export { AWS_MANAGED_POLICIES, type AwsManagedPolicy } from './policy/aws-managed.ts'
export { parseCaller } from './policy/caller.ts'
export { denialMessage } from './policy/denial.ts'
export { compilePolicy, type Policy, type PolicyKind, parsePolicy, policySize } from './policy/document.ts'
export {
  type Decider,
  type Decision,
  evaluate,
  evaluateTrust,
  type Policies,
  type Reason,
  type StatementTrace
} from './policy/evaluate.ts'
export { matchesGlob, parseGlob } from './policy/glob.ts'
export { type ContextKeys, contextKeys, type PolicyCaller, type PolicyRequest } from './policy/request.ts'
export {
  type Architecture,
  addUsage,
  extraEventRequests,
  FREE_EPHEMERAL_MIB,
  FREE_STREAM_BYTES,
  type FunctionUsage,
  type FunctionUsageDay,
  MEASURES,
  type Measure,
  noUsage,
  PROVISIONED_BLOCK_MS,
  toGbSeconds,
  type UsageKey
} from './pricing/function-usage.ts'
export {
  ARCHITECTURES,
  addToBill,
  BILL_LINES,
  type Bill,
  type BillLine,
  type Charge,
  emptyBill,
  type MonthRates,
  type MutableBill,
  monthRates,
  tieredAmount,
  totalOf
} from './pricing/price.ts'
export { AWS_PRICES, type PriceTable, PriceTableError, parsePriceTable } from './pricing/price-table.ts'
export { type QueryError, toQueryError } from './query-error.ts'
export { hideSecrets, hideSecretsInLog, withoutSecrets } from './redaction.ts'
export type {
  ReleaseCounts,
  ReleaseEvent,
  ReleasePlan,
  ReleaseRecord,
  ReleaseState,
  ReleaseStep,
  ReleaseTally,
  ReleaseWatch
} from './release.ts'
export { countsOf, DURATION_BUCKETS, durationBucket, sparse, takeTally } from './release-tally.ts'
export { nextTimes, parseScheduleExpression, type ScheduleExpression } from './schedule/schedule-expression.ts'
export {
  literalValue,
  parseSecretReference,
  SECRET_NAME,
  type SecretReference,
  secretArn
} from './secret-reference.ts'
export { parseSince, SINCE_RULE } from './since.ts'
export { isLinkLocalAddress, isNetwork, isPrivateAddress, networkMatcher } from './special-addresses.ts'
export { createTar, type TarFile } from './tar.ts'
export { checkTargetInput, type FiredEvent, type InputFault, isJson, renderTargetInput } from './target-input.ts'
export {
  busArn,
  DEFAULT_BUS,
  type EventBus,
  type EventRule,
  type EventTarget,
  ruleArn,
  type Schedule,
  type ScheduleGroup,
  type ScheduleSettings,
  scheduleArn,
  scheduleGroupArn,
  type TargetInput,
  type TargetRetries
} from './triggers.ts'
export {
  type ApiKey,
  DAY_MS,
  dayOf,
  type PlanStage,
  type PublishedApiKey,
  periodStart,
  type QuotaPeriod,
  type UsagePlan
} from './usage-plan.ts'
export { uuidOf } from './uuid-of.ts'
export {
  type HmacSettings,
  WEBHOOK_ID,
  WEBHOOK_PRESETS,
  WEBHOOK_SERVICE,
  WEBHOOK_TOLERANCE_S,
  type Webhook,
  type WebhookScheme,
  type WebhookSecret,
  type WebhookSelector,
  type WebhookSettings,
  webhookArn
} from './webhook.ts'
export { createWebhookSender, type SendWebhook, WebhookError, type WebhookMessage } from './webhook-post.ts'
