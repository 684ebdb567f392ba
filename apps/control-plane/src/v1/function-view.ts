import { type ArnScope, type FunctionRecord, functionArn } from '@hearth/shared'
import type { FunctionView } from './function-schemas.ts'

export function toFunctionView(record: FunctionRecord, scope: ArnScope, origin: string): FunctionView {
  return {
    name: record.name,
    arn: functionArn(scope, record.name),
    url: `${origin}/fn/${record.name}/`,
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
    instances: record.instances ?? null,
    invokeMode: record.invokeMode,
    layers: record.layers?.versions.map((version) => ({ ...version })) ?? [],
    architecture: record.architecture,
    state: record.state,
    createdAt: record.createdAt,
    lastModified: record.lastModified
  }
}

export function etagOf(record: FunctionRecord): string {
  return `"${record.revisionId}"`
}
