import { type ArnScope, type FunctionRecord, functionArn } from '@hearth/shared'
import { LATEST } from '@hearth/store'
import type { FunctionView } from './function-schemas.ts'

/** A published version has its number in ARN and URL. @param retentionOf - Days that a log group is kept */
export function toFunctionView(
  record: FunctionRecord,
  scope: ArnScope,
  origin: string,
  retentionOf: (group: string) => number | undefined
): FunctionView {
  const qualifier = record.version === LATEST ? undefined : record.version
  return {
    name: record.name,
    arn: functionArn(scope, record.name, qualifier),
    url: `${origin}/fn/${record.name}${qualifier === undefined ? '' : `:${qualifier}`}/`,
    version: record.version,
    revisionId: record.revisionId,
    codeSha256: record.codeSha256,
    codeSize: record.codeSize,
    runtime: record.runtime,
    handler: record.handler,
    role: record.role,
    description: record.description,
    memoryMiB: record.memoryMiB,
    timeoutS: record.timeoutS,
    ephemeralMiB: record.ephemeralMiB,
    env: { ...record.environment },
    network: record.network ?? null,
    concurrency: record.concurrency,
    reservedConcurrency: record.reservedConcurrency ?? null,
    instances: record.instances ?? null,
    invokeMode: record.invokeMode,
    layers: record.layers?.versions.map((version) => ({ ...version })) ?? [],
    architecture: record.architecture,
    tracing: record.tracing,
    logFormat: record.logging.format,
    logLevel: record.logging.applicationLevel ?? null,
    systemLogLevel: record.logging.systemLevel ?? null,
    logGroup: record.logging.logGroup,
    logRetentionDays: retentionOf(record.logging.logGroup) ?? null,
    snapStart: record.snapStart,
    deadLetterTarget: record.deadLetterTarget ?? null,
    tags: { ...record.tags },
    state: record.state,
    createdAt: record.createdAt,
    lastModified: record.lastModified
  }
}

export function etagOf(record: FunctionRecord): string {
  return `"${record.revisionId}"`
}
