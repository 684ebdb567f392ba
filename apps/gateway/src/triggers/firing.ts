import { createHash } from 'node:crypto'
import { parseFunctionRef } from '@hearth/shared'
import type { Fire, Receipt } from '@hearth/store'
import type { Dispatcher } from '../async/dispatcher.ts'
import { createTargetCheck, type Failure, type TargetCheckOptions } from './target-check.ts'
import type { TriggerLog } from './trigger-log.ts'

/** Something that a trigger gives to a function. */
export interface Firing {
  /** On whose account: `events.amazonaws.com`. */
  readonly service: string
  /** Of the rule or schedule. */
  readonly sourceArn: string
  /** Undefined: the service itself asks, and the function's own policy must let it in. */
  readonly roleArn: string | undefined
  /** ARN of the function. */
  readonly target: string
  readonly deadLetterArn: string | undefined
  /** Lower-case UUID; the same when it is tried again. */
  readonly requestId: string
  readonly payload: Buffer
  readonly traceId: string
  /** When it was due, or put; Unix time in ms. */
  readonly dueAt: number
  /** Of schedules: there is one event for the due time. */
  readonly fired: Fire | undefined
  /** Of a sender who may send it again. */
  readonly receipt?: Receipt | undefined
}

/** What became of a firing, and is on disk. */
export type Fired =
  | { readonly outcome: 'delivered' | 'dead-letter' }
  /** It is not the first of its delivery, whose id this is. */
  | { readonly outcome: 'repeated'; readonly firstId: string }
  /** Nobody has it. */
  | { readonly outcome: 'failed'; readonly failure: Failure }

export interface FireOptions extends TargetCheckOptions {
  readonly dispatcher: Pick<Dispatcher, 'accept' | 'now'>
  readonly queue: { noteFire(fire: Fire): Promise<void> }
  readonly log: TriggerLog
  /** A target did not get an event, and nothing else will tell. */
  readonly onFailed: (firing: Firing, code: string) => void
}

/**
 * Gives events of triggers to the queue, through the door that all events go through. Resolves when what becomes of it is
 * on disk: the function's event, or the dead letter.
 */
export type FireEvent = (firing: Firing) => Promise<Fired>

/** What it returns throws HearthError QUEUE_UNAVAILABLE when nothing could be written */
export function createFireEvent(options: FireOptions): FireEvent {
  const { scope, dispatcher, log } = options

  const accept = (
    firing: Firing,
    arn: string,
    requestId: string,
    clientContext: string
  ): Promise<string | undefined> => {
    const { name, qualifier = '' } = parseFunctionRef(scope, arn)
    return dispatcher.accept({
      requestId,
      functionName: name,
      qualifier,
      traceId: firing.traceId,
      clientContext,
      payload: firing.payload,
      acceptedAt: dispatcher.now(),
      ...(firing.fired === undefined ? {} : { fired: firing.fired }),
      ...(firing.receipt === undefined ? {} : { receipt: firing.receipt })
    })
  }

  const check = createTargetCheck(options)
  const failureOf = ({ service, roleArn, sourceArn, requestId, payload }: Firing, arn: string): Failure | undefined =>
    check({ service, roleArn, sourceArn, requestId, payloadBytes: payload.length }, arn)

  return async (firing) => {
    const { target, requestId, deadLetterArn, sourceArn } = firing
    const failure = failureOf(firing, target)
    let firstId: string | undefined
    let fired: Fired = { outcome: 'delivered' }
    if (failure === undefined) firstId = await accept(firing, target, requestId, '')
    else if (deadLetterArn !== undefined && failureOf(firing, deadLetterArn) === undefined) {
      const attributes = {
        RULE_ARN: sourceArn,
        TARGET_ARN: target,
        ERROR_CODE: failure.code,
        ERROR_MESSAGE: failure.message
      }
      fired = { outcome: 'dead-letter' }
      firstId = await accept(
        firing,
        deadLetterArn,
        uuidOf(`${requestId}/dead-letter`),
        JSON.stringify({ custom: attributes })
      )
    } else {
      fired = { outcome: 'failed', failure }
      options.onFailed(firing, failure.code)
      if (firing.fired !== undefined) await options.queue.noteFire(firing.fired)
    }
    if (firstId !== undefined) return { outcome: 'repeated', firstId }
    const at = dispatcher.now()
    log.note(sourceArn, { at, requestId, target, error: failure }, at - firing.dueAt)
    return fired
  }
}

/** The same UUID for the same text. */
export function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16)
  // Version 8: made in a way of one's own. Source: RFC 9562 §5.8.
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
