import { createHash } from 'node:crypto'
import type { InitializationType } from './environment.ts'
import type { FunctionSpec } from './types.ts'

/**
 * The lines that Lambda itself writes into a function's log, byte for byte in text format, and the platform events
 * of JSON format. Undefined, or none, where the function's system log level leaves them out.
 * @see reference: Runtime behaviour §6 and §7
 */
export function initStartLine(
  spec: FunctionSpec,
  runtimeVersion: string,
  at: number,
  initializationType: InitializationType = 'on-demand'
): string | undefined {
  if (isLeftOut(spec, 'INFO')) return undefined
  const arn = `arn:aws:lambda:${spec.region}::runtime:${createHash('sha256').update(runtimeVersion).digest('hex')}`
  if (spec.logFormat === 'JSON') {
    return event(at, 'platform.initStart', {
      initializationType,
      phase: 'init',
      runtimeVersion,
      runtimeVersionArn: arn,
      functionName: spec.name,
      functionVersion: spec.version
    })
  }
  return `INIT_START Runtime Version: ${runtimeVersion}\tRuntime Version ARN: ${arn}`
}

/** Of an init that failed; one that succeeded shows in REPORT. `phase` is `invoke` when init is repeated inside the first event. */
export function initReportLine(
  spec: FunctionSpec,
  initMs: number,
  phase: 'init' | 'invoke',
  failure: { status: 'error' | 'timeout'; errorType: string },
  at: number,
  initializationType: InitializationType = 'on-demand'
): string {
  if (spec.logFormat === 'JSON') {
    return event(at, 'platform.initReport', {
      initializationType,
      phase,
      status: failure.status,
      ...(failure.status === 'error' ? { errorType: failure.errorType } : {}),
      metrics: { durationMs: round2(initMs) }
    })
  }
  const type = failure.status === 'error' ? `\tError Type: ${failure.errorType}` : ''
  return `INIT_REPORT Init Duration: ${initMs.toFixed(2)} ms\tPhase: ${phase}\tStatus: ${failure.status}${type}`
}

export function startLine(spec: FunctionSpec, requestId: string, at: number): string | undefined {
  if (isLeftOut(spec, 'INFO')) return undefined
  if (spec.logFormat === 'JSON') return event(at, 'platform.start', { requestId, version: spec.version })
  return `START RequestId: ${requestId} Version: ${spec.version}`
}

export interface Report {
  readonly requestId: string
  readonly durationMs: number
  readonly billedMs: number
  readonly maxMemoryMiB: number
  /** Undefined when warm, or when init failed. */
  readonly initMs: number | undefined
  readonly status: 'success' | 'error' | 'timeout'
  readonly errorType: string
}

/** END and REPORT: two events in text format, one in JSON format. */
export function reportLines(spec: FunctionSpec, report: Report, at: number): readonly string[] {
  if (isLeftOut(spec, report.status === 'success' ? 'INFO' : 'WARN')) return []
  if (spec.logFormat === 'JSON') {
    return [
      event(at, 'platform.report', {
        requestId: report.requestId,
        metrics: {
          durationMs: round2(report.durationMs),
          billedDurationMs: report.billedMs,
          memorySizeMB: spec.memoryMiB,
          maxMemoryUsedMB: report.maxMemoryMiB,
          ...(report.initMs === undefined ? {} : { initDurationMs: round2(report.initMs) })
        },
        status: report.status,
        ...(report.status === 'error' ? { errorType: report.errorType } : {})
      })
    ]
  }
  const init = report.initMs === undefined ? '' : `Init Duration: ${report.initMs.toFixed(2)} ms\t`
  const status =
    report.status === 'success'
      ? ''
      : report.status === 'timeout'
        ? 'Status: timeout'
        : `Status: error\tError Type: ${report.errorType}`
  return [
    `END RequestId: ${report.requestId}`,
    `REPORT RequestId: ${report.requestId}\tDuration: ${report.durationMs.toFixed(2)} ms\tBilled Duration: ${report.billedMs} ms\tMemory Size: ${spec.memoryMiB} MB\tMax Memory Used: ${report.maxMemoryMiB} MB\t${init}${status}`
  ]
}

/** Text has no levels. What fails is a WARN, which every system log level lets through. */
function isLeftOut(spec: FunctionSpec, level: 'INFO' | 'WARN'): boolean {
  return spec.logFormat === 'JSON' && spec.systemLogLevel === 'WARN' && level === 'INFO'
}

function event(at: number, type: string, record: object): string {
  return JSON.stringify({ time: new Date(at).toISOString(), type, record })
}

function round2(value: number): number {
  return Math.round(value * 100) / 100
}
