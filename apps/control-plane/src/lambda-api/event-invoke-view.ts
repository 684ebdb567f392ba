import { type ArnScope, type EventInvokeConfig, functionArn } from '@hearth/shared'

/** FunctionEventInvokeConfig: its ARN is always qualified, its time is in epoch seconds. */
export function toEventInvokeConfig(config: EventInvokeConfig, scope: ArnScope): Record<string, unknown> {
  const { maxRetries, maxAgeS, onSuccess, onFailure } = config
  return {
    LastModified: Date.parse(config.lastModified) / 1_000,
    FunctionArn: functionArn(scope, config.functionName, config.qualifier),
    ...(maxRetries === undefined ? {} : { MaximumRetryAttempts: maxRetries }),
    ...(maxAgeS === undefined ? {} : { MaximumEventAgeInSeconds: maxAgeS }),
    DestinationConfig: {
      OnSuccess: onSuccess === undefined ? {} : { Destination: onSuccess.target },
      OnFailure: onFailure === undefined ? {} : { Destination: onFailure.target }
    }
  }
}
