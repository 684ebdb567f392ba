import type { LoggingConfig } from '@hearth/shared'
import type { SettingsChange } from '../functions/function-settings.ts'
import { type LoggingWish, mergeLogging } from '../functions/logging-settings.ts'
import type { Configuration } from './model.ts'

/**
 * The change that a request's configuration members ask for; what is not sent is not in it.
 *
 * @param logging - What the function has, or would have by default: LoggingConfig is merged member by member.
 */
export function toChange(request: Configuration, logging: LoggingConfig): SettingsChange {
  const {
    Role,
    Handler,
    Description,
    Timeout,
    MemorySize,
    Runtime,
    Environment,
    EphemeralStorage,
    TracingConfig,
    SnapStart,
    DeadLetterConfig,
    LoggingConfig
  } = request
  const variables = Environment?.Variables
  const tracing = TracingConfig?.Mode
  const deadLetters = DeadLetterConfig?.TargetArn
  const snapStart = SnapStart?.ApplyOn
  return {
    ...(isGiven(Runtime) ? { runtime: Runtime } : {}),
    ...(isGiven(Handler) ? { handler: Handler } : {}),
    ...(isGiven(Role) ? { role: Role } : {}),
    ...(isGiven(Description) ? { description: Description } : {}),
    ...(isGiven(MemorySize) ? { memoryMiB: MemorySize } : {}),
    ...(isGiven(Timeout) ? { timeoutS: Timeout } : {}),
    ...(isGiven(EphemeralStorage) ? { ephemeralMiB: EphemeralStorage.Size } : {}),
    ...(isGiven(variables) ? { environment: variables } : {}),
    ...(isGiven(tracing) ? { tracing } : {}),
    // An empty text takes it away.
    ...(isGiven(deadLetters) ? { deadLetterTarget: deadLetters === '' ? undefined : deadLetters } : {}),
    ...(isGiven(snapStart) ? { snapStart } : {}),
    ...(isGiven(LoggingConfig) ? { logging: mergeLogging(logging, toLoggingWish(LoggingConfig)) } : {})
  }
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null
}

function toLoggingWish(wanted: NonNullable<Configuration['LoggingConfig']>): LoggingWish {
  return {
    format: wanted.LogFormat,
    logGroup: wanted.LogGroup,
    applicationLevel: wanted.ApplicationLogLevel,
    systemLevel: wanted.SystemLogLevel
  }
}
