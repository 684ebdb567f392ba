import { type ErrorDetail, type FunctionRecord, HearthError } from '@hearth/shared'
import { type SettingsChange, VARIABLE_NAME } from '../functions/function-settings.ts'
import { type LoggingWish, mergeLogging } from '../functions/logging-settings.ts'
import { DeployQuery, type PatchBody } from './function-schemas.ts'
import type { RetentionWish } from './log-retention.ts'

const VARIABLE_PREFIX = 'env.'

/** What a deploy's query asks for. Variables in it are added to those that the function has. */
export interface DeployWish {
  readonly settings: Omit<SettingsChange, 'environment'>
  readonly variables: Readonly<Record<string, string>>
  /** As they were typed; undefined: those that the function has. */
  readonly layers: readonly string[] | undefined
  /** Member by member; undefined: as it is. */
  readonly logging: LoggingWish | undefined
  readonly retentionDays: RetentionWish
  readonly dryRun: boolean
  readonly publish: boolean
  /** Undefined: if it is needed and allowed. */
  readonly build: 'true' | 'false' | 'fresh' | undefined
}

/** @throws HearthError INVALID_REQUEST that names every key it does not know */
export function readDeployQuery(query: DeployQuery): DeployWish {
  const errors: ErrorDetail[] = []
  const variables: Record<string, string> = {}
  for (const [key, value] of Object.entries(query)) {
    if (key in DeployQuery.shape) continue
    if (!key.startsWith(VARIABLE_PREFIX)) errors.push({ path: `query.${key}`, message: `"${key}" is not a setting` })
    else if (!VARIABLE_NAME.test(key.slice(VARIABLE_PREFIX.length))) {
      errors.push({
        path: `query.${key}`,
        message: 'a variable has a name of at least two letters, digits and underscores that begins with a letter'
      })
    } else variables[key.slice(VARIABLE_PREFIX.length)] = String(value)
  }
  if (errors.length > 0) {
    throw new HearthError('INVALID_REQUEST', errors.map(({ path, message }) => `${path}: ${message}`).join('; '), {
      errors
    })
  }
  const { memory, timeout, ephemeral, layers, dryRun, publish, build } = query
  return {
    settings: toSettings({ ...query, memory, timeout, ephemeral, layers: undefined, logRetentionDays: undefined }),
    variables,
    layers: layers
      ?.split(',')
      .map((layer) => layer.trim())
      .filter((layer) => layer !== ''),
    logging: toLoggingWish(query),
    retentionDays: query.logRetentionDays === '' ? null : query.logRetentionDays,
    dryRun: dryRun === 'true',
    publish: publish === 'true',
    build
  }
}

/** @param current - Variables are merged into its own. */
export function readPatch(body: PatchBody, current: FunctionRecord): SettingsChange {
  const { env, network, instances, tags } = body
  const logging = toLoggingWish(body)
  return {
    ...toSettings(body),
    ...(logging === undefined ? {} : { logging: mergeLogging(current.logging, logging) }),
    ...(network === null ? { network: undefined } : {}),
    ...(instances === null ? { instances: undefined } : {}),
    ...(tags === undefined ? {} : { tags: tags === null ? {} : mergeTags(current.tags, tags) }),
    ...(env === undefined ? {} : { environment: env === null ? undefined : mergeVariables(current.environment, env) })
  }
}

/** @returns undefined when nothing is left and nothing was asked for, so that `Environment` stays unset */
export function mergeVariables(
  current: FunctionRecord['environment'],
  change: Readonly<Record<string, string | null>>
): FunctionRecord['environment'] {
  if (Object.keys(change).length === 0) return current
  const merged: Record<string, string> = { ...current }
  for (const [name, value] of Object.entries(change)) {
    if (value === null) delete merged[name]
    else merged[name] = value
  }
  return merged
}

function mergeTags(current: FunctionRecord['tags'], change: Readonly<Record<string, string | null>>) {
  const merged = Object.entries({ ...current, ...change }).filter(
    (entry): entry is [string, string] => entry[1] !== null
  )
  return Object.fromEntries(merged)
}

/** @returns undefined when nothing is said about logging */
function toLoggingWish(
  wish: { [K in 'logFormat' | 'logLevel' | 'systemLogLevel' | 'logGroup']?: PatchBody[K] | undefined }
): LoggingWish | undefined {
  const { logFormat, logLevel, systemLogLevel, logGroup } = wish
  if ([logFormat, logLevel, systemLogLevel, logGroup].every((value) => value === undefined)) return undefined
  return { format: logFormat, applicationLevel: logLevel, systemLevel: systemLogLevel, logGroup }
}

/** From the names that people type to the record's. Nulls are for the caller, who knows what they mean. */
function toSettings(wish: { [K in keyof PatchBody]?: PatchBody[K] | undefined }): Omit<SettingsChange, 'environment'> {
  const {
    handler,
    runtime,
    description,
    role,
    memory,
    timeout,
    ephemeral,
    concurrency,
    network,
    instances,
    invokeMode,
    tracing,
    snapStart,
    deadLetterTarget
  } = wish
  return {
    ...(handler === undefined ? {} : { handler }),
    ...(runtime === undefined ? {} : { runtime }),
    ...(description === undefined ? {} : { description }),
    ...(role === undefined ? {} : { role }),
    ...(memory === undefined ? {} : { memoryMiB: memory }),
    ...(timeout === undefined ? {} : { timeoutS: timeout }),
    ...(ephemeral === undefined ? {} : { ephemeralMiB: ephemeral }),
    ...(tracing === undefined ? {} : { tracing }),
    ...(snapStart === undefined ? {} : { snapStart }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(deadLetterTarget === undefined ? {} : { deadLetterTarget: deadLetterTarget || undefined }),
    ...(network === undefined || network === null ? {} : { network }),
    ...(instances === undefined || instances === null ? {} : { instances }),
    ...(invokeMode === undefined ? {} : { invokeMode })
  }
}
