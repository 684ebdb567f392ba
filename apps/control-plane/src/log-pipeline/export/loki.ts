import { type Encoding, type ExportedEvent, nanoseconds, serviceOf } from './encoding.ts'

interface LokiStream {
  readonly stream: Record<string, string>
  readonly values: [time: string, line: string, metadata: Record<string, string>][]
}

/**
 * `POST /loki/api/v1/push`. Labels are few, since each set of their values is a stream; what there is one of per call is
 * structured metadata.
 *
 * @see https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs
 */
export const LOKI: Encoding = {
  encode(events) {
    const streams = new Map<string, LokiStream>()
    for (const one of events) {
      const labels = labelsOf(one)
      const name = JSON.stringify(labels)
      let stream = streams.get(name)
      if (stream === undefined) {
        stream = { stream: labels, values: [] }
        streams.set(name, stream)
      }
      stream.values.push([nanoseconds(one.event), one.event.message, metadataOf(one)])
    }
    return JSON.stringify({ streams: [...streams.values()] })
  },
  // It takes a request or refuses it.
  rejectedIn: () => 0
}

function labelsOf(one: ExportedEvent): Record<string, string> {
  const { functionName, level } = one.event
  return {
    service_name: serviceOf(one),
    ...(functionName === '' ? {} : { function: functionName }),
    level: level === '' ? 'unknown' : level.toLowerCase()
  }
}

function metadataOf({ group, event: { stream, requestId } }: ExportedEvent): Record<string, string> {
  return { log_group: group, log_stream: stream, ...(requestId === '' ? {} : { request_id: requestId }) }
}
