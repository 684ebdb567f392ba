import type { FunctionRecord } from '@hearth/shared'

type Logging = FunctionRecord['logging']

/** What of a function's logging is asked for; the rest stays as it is. */
export type LoggingWish = { readonly [K in keyof Logging]?: Logging[K] | null | undefined }

/**
 * Member by member. JSON comes with levels, Text has none.
 *
 * @see reference: Lambda control API §5, UpdateFunctionConfiguration, LoggingConfig
 */
export function mergeLogging(current: Logging, wish: LoggingWish): Logging {
  const format = wish.format ?? current.format
  const logGroup = wish.logGroup ?? current.logGroup
  const { applicationLevel, systemLevel } = wish
  if (format === 'Text') {
    // Levels that were sent along stay in: the check of settings refuses them in AWS's words.
    return {
      format,
      logGroup,
      ...(applicationLevel == null ? {} : { applicationLevel }),
      ...(systemLevel == null ? {} : { systemLevel })
    }
  }
  return {
    format,
    logGroup,
    applicationLevel: applicationLevel ?? current.applicationLevel ?? 'INFO',
    systemLevel: systemLevel ?? current.systemLevel ?? 'INFO'
  }
}
