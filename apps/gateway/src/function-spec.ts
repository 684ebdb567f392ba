import type { FunctionSpec } from '@hearth/executor'
import type { Config, FunctionRecord } from '@hearth/shared'

export type SpecDefaults = Pick<Config, 'network' | 'instances' | 'region'>

/**
 * What the executor needs of a function.
 *
 * @param codeDirOf - Where the unpacked package with this hex sha256 lies.
 */
export function toSpec(
  record: FunctionRecord,
  defaults: SpecDefaults,
  codeDirOf: (artifact: string) => string
): FunctionSpec {
  const { layers } = record
  return {
    name: record.name,
    version: record.version,
    runtime: record.runtime,
    handler: record.handler,
    role: record.role,
    memoryMiB: record.memoryMiB,
    timeoutMs: record.timeoutS * 1_000,
    ephemeralMiB: record.ephemeralMiB,
    environment: record.environment ?? {},
    network: record.network ?? defaults.network,
    concurrency: record.concurrency,
    backend: record.instances ?? defaults.instances,
    codeDir: codeDirOf(record.artifact),
    ...(layers === undefined ? {} : { optDir: codeDirOf(layers.tree), extensions: layers.extensions }),
    region: defaults.region,
    logGroup: record.logging.logGroup,
    logFormat: record.logging.format,
    logLevel: record.logging.applicationLevel ?? 'INFO',
    ...(record.logging.systemLevel === undefined ? {} : { systemLogLevel: record.logging.systemLevel })
  }
}

/** Whether instances of one may go on serving the other: a new description or tag is no reason for a cold start. */
export function isSameSpec(a: FunctionSpec, b: FunctionSpec): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
