import { createHash } from 'node:crypto'
import { type ArnScope, type FunctionRecord, functionArn } from '@hearth/shared'

/** FunctionConfiguration as Get, Create and Update answer it. @param qualifier - As asked for: it shows in the ARN. */
export function toConfiguration(record: FunctionRecord, scope: ArnScope, qualifier?: string): Record<string, unknown> {
  return {
    ...toListItem(record, scope, qualifier),
    ...stateOf(record),
    RuntimeVersionConfig: { RuntimeVersionArn: runtimeVersionArn(record.runtime, scope) }
  }
}

/** FunctionConfiguration in lists: AWS leaves the state and the runtime's version out there. */
export function toListItem(record: FunctionRecord, scope: ArnScope, qualifier?: string): Record<string, unknown> {
  const { environment, layers, logging, deadLetterTarget } = record
  return {
    FunctionName: record.name,
    FunctionArn: functionArn(scope, record.name, qualifier),
    Runtime: record.runtime,
    Role: record.role,
    Handler: record.handler,
    CodeSize: record.codeSize,
    Description: record.description,
    Timeout: record.timeoutS,
    MemorySize: record.memoryMiB,
    LastModified: toAwsTime(record.lastModified),
    CodeSha256: record.codeSha256,
    Version: record.version,
    TracingConfig: { Mode: record.tracing },
    RevisionId: record.revisionId,
    PackageType: 'Zip',
    Architectures: [record.architecture],
    EphemeralStorage: { Size: record.ephemeralMiB },
    // Off is how AWS says that no snapshot is used.
    SnapStart: { ApplyOn: record.snapStart, OptimizationStatus: 'Off' },
    LoggingConfig: {
      LogFormat: logging.format,
      ...(logging.applicationLevel === undefined ? {} : { ApplicationLogLevel: logging.applicationLevel }),
      ...(logging.systemLevel === undefined ? {} : { SystemLogLevel: logging.systemLevel }),
      LogGroup: logging.logGroup
    },
    ...(deadLetterTarget === undefined ? {} : { DeadLetterConfig: { TargetArn: deadLetterTarget } }),
    ...(layers === undefined
      ? {}
      : { Layers: layers.versions.map(({ arn, codeSize }) => ({ Arn: arn, CodeSize: codeSize })) }),
    ...(environment === undefined ? {} : { Environment: { Variables: environment } })
  }
}

/** @param time - ISO 8601, UTC. */
export function toAwsTime(time: string): string {
  return time.replace('Z', '+0000')
}

/** @see reference: Lambda control API §4, state fields by moment */
function stateOf(record: FunctionRecord): Record<string, string> {
  const creating = 'The function is being created.'
  if (record.state === 'Pending') return { State: 'Pending', StateReason: creating, StateReasonCode: 'Creating' }
  if (record.lastUpdateStatus === 'InProgress') {
    return {
      State: record.state,
      LastUpdateStatus: 'InProgress',
      LastUpdateStatusReason: creating,
      LastUpdateStatusReasonCode: 'Creating'
    }
  }
  return {
    State: record.state,
    ...(record.lastUpdateStatus === undefined ? {} : { LastUpdateStatus: record.lastUpdateStatus })
  }
}

function runtimeVersionArn(runtime: string, scope: ArnScope): string {
  return `arn:aws:lambda:${scope.region}::runtime:${createHash('sha256').update(runtime).digest('hex')}`
}
