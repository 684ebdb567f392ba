import type { AliasRecord, FunctionRecord } from '@hearth/shared'

export function record(name: string, more: Partial<FunctionRecord> = {}): FunctionRecord {
  return {
    name,
    version: '$LATEST',
    runtime: 'nodejs20.x',
    handler: 'index.handler',
    role: 'arn:aws:iam::000000000000:role/r',
    description: '',
    memoryMiB: 128,
    timeoutS: 3,
    ephemeralMiB: 512,
    environment: { SECRET: 'in-plain-text' },
    network: undefined,
    concurrency: 1,
    reservedConcurrency: undefined,
    invokeMode: 'BUFFERED',
    instances: undefined,
    architecture: 'x86_64',
    tags: {},
    tracing: 'PassThrough',
    logging: { format: 'Text', logGroup: '/x' },
    snapStart: 'None',
    artifact: 'a'.repeat(64),
    codeSha256: 'c2hh',
    codeSize: 12,
    revisionId: 'r1',
    state: 'Active',
    lastUpdateStatus: 'Successful',
    createdAt: '2026-01-02T03:04:05.000Z',
    lastModified: '2026-01-02T03:04:05.000Z',
    ...more
  }
}

export const alias = (functionName: string, name: string, version: string, weights = {}): AliasRecord => ({
  functionName,
  name,
  version,
  weights,
  description: 'd',
  revisionId: 'r',
  previousVersion: undefined
})
