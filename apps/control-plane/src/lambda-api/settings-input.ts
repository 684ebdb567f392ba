import type { FunctionRecord, LoggingConfig } from '@hearth/shared'
import type { SettingsChange } from '../functions/function-settings.ts'
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
    LoggingConfig
  } = request
  const variables = Environment?.Variables
  const tracing = TracingConfig?.Mode
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
    ...(isGiven(snapStart) ? { snapStart } : {}),
    ...(isGiven(LoggingConfig) ? { logging: mergeLogging(logging, LoggingConfig) } : {})
  }
}

/** @see reference: Lambda control API §5, UpdateFunctionConfiguration, LoggingConfig */
function mergeLogging(
  current: LoggingConfig,
  wanted: NonNullable<Configuration['LoggingConfig']>
): FunctionRecord['logging'] {
  const format = wanted.LogFormat ?? current.format
  const logGroup = wanted.LogGroup ?? current.logGroup
  if (format === 'Text') {
    // Levels that were sent along stay in: the check of settings refuses them in AWS's words.
    return {
      format,
      logGroup,
      ...(isGiven(wanted.ApplicationLogLevel) ? { applicationLevel: wanted.ApplicationLogLevel } : {}),
      ...(isGiven(wanted.SystemLogLevel) ? { systemLevel: wanted.SystemLogLevel } : {})
    }
  }
  return {
    format,
    logGroup,
    applicationLevel: wanted.ApplicationLogLevel ?? current.applicationLevel ?? 'INFO',
    systemLevel: wanted.SystemLogLevel ?? current.systemLevel ?? 'INFO'
  }
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null
}
