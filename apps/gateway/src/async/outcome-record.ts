import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import type { Outcome } from '@hearth/executor'
import { type ArnScope, functionArn, JsonCheck } from '@hearth/shared'
import type { AttemptResult, Condition, NewDelivery, QueuedEvent } from '@hearth/store'
import type { Entry } from '../function-routes.ts'

/** What of an event that is over is to be told to others. */
export interface EventEnd {
  readonly event: QueuedEvent
  readonly entry: Entry
  readonly condition: Condition
  readonly result: AttemptResult
  /** Of the last attempt; undefined: it did not reach the function. */
  readonly outcome: Outcome | undefined
  /** As the function saw it. */
  readonly traceId: string
}

const LATEST = '$LATEST'
const MESSAGE_BYTES = 1_024
const json = new JsonCheck()

/**
 * What is to be sent when an event is over, where its function has somebody to send it to. A failure goes to the
 * destination and to the dead-letter target too.
 *
 * @see reference: Lambda invocation §2
 */
export function deliveriesOf(end: EventEnd, scope: ArnScope): readonly NewDelivery[] {
  const { event, entry, condition } = end
  const { onSuccess, onFailure } = entry.events
  const isSuccess = condition === 'Success'
  const destination = isSuccess ? onSuccess : onFailure
  const deadLetterTarget = isSuccess ? undefined : entry.record.deadLetterTarget
  // The common case.
  if (destination === undefined && deadLetterTarget === undefined) return []
  const common = {
    requestId: event.requestId,
    functionName: event.functionName,
    qualifier: event.qualifier,
    traceId: end.traceId,
    createdAt: end.result.endedAt
  }
  const deliveries: NewDelivery[] = []
  if (destination !== undefined) {
    deliveries.push({
      ...common,
      id: randomUUID(),
      purpose: isSuccess ? 'OnSuccess' : 'OnFailure',
      target: destination.target,
      attributes: '',
      body: outcomeRecord(end, scope)
    })
  }
  if (deadLetterTarget !== undefined) {
    deliveries.push({
      ...common,
      id: randomUUID(),
      purpose: 'DeadLetter',
      target: deadLetterTarget,
      attributes: JSON.stringify(deadLetterAttributes(end)),
      body: event.payload
    })
  }
  return deliveries
}

/** Lambda's destination record. Events and results are JSON already, and stay as they are, byte for byte. */
function outcomeRecord({ event, entry, condition, result, outcome }: EventEnd, scope: ArnScope): Buffer {
  const head = JSON.stringify({
    version: '1.0',
    timestamp: new Date(result.endedAt).toISOString(),
    requestContext: {
      requestId: event.requestId,
      functionArn: functionArn(scope, event.functionName, event.qualifier === '' ? LATEST : event.qualifier),
      condition,
      approximateInvokeCount: result.attempts
    }
  })
  const parts = [Buffer.from(`${head.slice(0, -1)},"requestPayload":`), event.payload]
  if (outcome !== undefined) {
    const context = JSON.stringify({
      statusCode: 200,
      executedVersion: entry.record.version,
      ...(outcome.status === 'ok' ? {} : { functionError: 'Unhandled' })
    })
    parts.push(Buffer.from(`,"responseContext":${context},"responsePayload":`), asJson(outcome.payload))
  }
  parts.push(Buffer.from('}'))
  return Buffer.concat(parts)
}

/** What a runtime answers that is no JSON becomes a text. */
function asJson(payload: Buffer): Buffer {
  if (payload.length === 0) return Buffer.from('null')
  json.reset()
  if (json.push(payload) === -1 && json.end() === -1 && isUtf8(payload)) return payload
  return Buffer.from(JSON.stringify(payload.toString()))
}

/** As AWS sends them beside the event itself. @see reference: Lambda invocation §2, dead-letter queue */
function deadLetterAttributes({ event, result, outcome }: EventEnd): Record<string, string> {
  const status = outcome !== undefined ? 200 : result.errorType === 'TooManyRequestsException' ? 429 : 500
  return {
    RequestID: event.requestId,
    ErrorCode: String(status),
    ErrorMessage: Buffer.from(result.errorMessage)
      .subarray(0, MESSAGE_BYTES)
      .toString()
      .replace(/\uFFFD$/, '')
  }
}
