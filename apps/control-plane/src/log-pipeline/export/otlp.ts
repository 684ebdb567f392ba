import type { LogEvent } from '@hearth/store'
import { type Encoding, type ExportedEvent, nanoseconds, serviceOf } from './encoding.ts'

/** Source: OpenTelemetry's data model of logs, severity numbers. */
const SEVERITIES: Readonly<Record<string, number>> = { TRACE: 1, DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17, FATAL: 21 }

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue: string }
}

/**
 * OTLP/HTTP in JSON, `/v1/logs`: a resource for each function.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export const OTLP: Encoding = {
  encode(events) {
    const resources = new Map<string, { attributes: readonly Attribute[]; logRecords: object[] }>()
    for (const one of events) {
      const name = JSON.stringify([one.group, one.event.functionName])
      let resource = resources.get(name)
      if (resource === undefined) {
        resource = { attributes: resourceOf(one), logRecords: [] }
        resources.set(name, resource)
      }
      resource.logRecords.push(recordOf(one.event))
    }
    return JSON.stringify({
      resourceLogs: [...resources.values()].map(({ attributes, logRecords }) => ({
        resource: { attributes },
        scopeLogs: [{ scope: { name: 'hearth' }, logRecords }]
      }))
    })
  },
  rejectedIn(answer) {
    try {
      const { partialSuccess } = JSON.parse(answer) as { readonly partialSuccess?: Record<string, unknown> }
      const rejected = Number(partialSuccess?.['rejectedLogRecords'] ?? 0)
      return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0
    } catch {
      // Not JSON, or nothing at all: it took everything.
      return 0
    }
  }
}

function recordOf(event: LogEvent): object {
  const { at, ingestedAt, level, message, stream, requestId } = event
  const severityNumber = SEVERITIES[level.toUpperCase()]
  return {
    timeUnixNano: nanoseconds(event),
    observedTimeUnixNano: nanoseconds({ ...event, at: Math.max(at, ingestedAt) }),
    ...(severityNumber === undefined ? {} : { severityNumber }),
    ...(level === '' ? {} : { severityText: level.toUpperCase() }),
    body: { stringValue: message },
    attributes: [
      attribute('aws.log.stream.name', stream),
      ...(requestId === '' ? [] : [attribute('faas.invocation_id', requestId)])
    ]
  }
}

function resourceOf(one: ExportedEvent): readonly Attribute[] {
  const { functionName } = one.event
  return [
    attribute('service.name', serviceOf(one)),
    ...(functionName === '' ? [] : [attribute('faas.name', functionName)]),
    attribute('aws.log.group.name', one.group)
  ]
}

function attribute(key: string, stringValue: string): Attribute {
  return { key, value: { stringValue } }
}
