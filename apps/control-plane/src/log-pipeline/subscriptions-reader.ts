import { type ArnScope, logGroupArn, uuidOf } from '@hearth/shared'
import type { LogEvent } from '@hearth/store'
import type { ServiceInvoker } from '../service-invoker.ts'
import type { LogPipelineCounts } from './counts.ts'
import type { ArmedSubscription, Definitions } from './definitions.ts'
import type { DirtyGroups } from './dirty-groups.ts'
import type { Follower, Stretch } from './follower.ts'
import { functionNameIn } from './function-name.ts'
import { findLogLoops } from './log-loops.ts'
import { BATCH_CHARACTERS, batchesOf, type SubscriptionBatch, subscriptionPayload } from './subscription-payload.ts'

export interface SubscriptionsReaderOptions {
  readonly scope: ArnScope
  readonly invoker: Pick<ServiceInvoker, 'invoke'>
  readonly definitions: Definitions
  /** Names of readers. */
  readonly dirty: DirtyGroups
  readonly followerOf: (subscription: ArmedSubscription) => Follower
  /** The log group that a function writes to; undefined: there is no such function. */
  readonly groupOf: (functionName: string) => string | undefined
  readonly counts: LogPipelineCounts
  /** A function's policy does not let its events in, or one is too large. */
  readonly onRefused: (subscription: ArmedSubscription, code: string) => void
  /** Events are passed over that would go round and round. */
  readonly onLoop: (subscription: ArmedSubscription) => void
}

const SERVICE = 'logs.amazonaws.com'
const LIMITS = { events: 5_000, characters: BATCH_CHARACTERS }

/** Gives functions the events that they subscribe to. A turn is one subscription's. */
export function createSubscriptionsReader(options: SubscriptionsReaderOptions) {
  const { scope, invoker, definitions, dirty, counts } = options

  function wantedBy(subscription: ArmedSubscription, events: readonly LogEvent[]): readonly LogEvent[] {
    const all = definitions.subscriptions().map(({ definition }) => definition)
    const looped = findLogLoops(all, options.groupOf).get(functionNameIn(subscription.definition.destinationArn))
    const wanted: LogEvent[] = []
    let loop = 0
    for (const event of events) {
      if (!subscription.pattern.matches(event.message)) continue
      if (event.functionName !== '' && looped?.has(event.functionName) === true) loop++
      else wanted.push(event)
    }
    if (loop > 0) {
      counts.subscribed('loop', loop)
      options.onLoop(subscription)
    }
    return wanted
  }

  async function send(subscription: ArmedSubscription, batch: SubscriptionBatch): Promise<void> {
    const { group, name, destinationArn } = subscription.definition
    const { segment, offset } = batch.events[0]!.position
    const answer = await invoker.invoke({
      // However often the batch is sent, it is one event.
      eventId: uuidOf(`${subscription.reader}/${segment}/${offset}`),
      functionArn: destinationArn,
      service: SERVICE,
      sourceArn: `${logGroupArn(scope, group)}:*`,
      payload: await subscriptionPayload(scope.accountId, group, name, batch)
    })
    if (answer.status === 'accepted') {
      counts.subscribed('delivered', batch.events.length)
      return
    }
    counts.subscribed(answer.code === 'PAYLOAD_TOO_LARGE' ? 'too_large' : 'refused', batch.events.length)
    options.onRefused(subscription, answer.code)
  }

  async function deliver(subscription: ArmedSubscription, follower: Follower, stretch: Stretch): Promise<void> {
    const wanted = wantedBy(subscription, stretch.events)
    if (wanted.length > 0) {
      follower.begin(stretch)
      for (const batch of batchesOf(wanted)) await send(subscription, batch)
    }
    follower.finish(stretch)
  }

  return {
    /** @returns whether there is more to do now */
    async turn(): Promise<boolean> {
      const reader = dirty.take()
      if (reader === undefined) return false
      const subscription = definitions.subscriptions().find((one) => one.reader === reader)
      if (subscription !== undefined) {
        try {
          const follower = options.followerOf(subscription)
          const stretch = await follower.next(subscription.definition.group, LIMITS)
          if (stretch !== undefined) {
            await deliver(subscription, follower, stretch)
            // What was done again says nothing of what is behind it.
            if (!stretch.isAll) dirty.add(reader)
          }
        } catch (err) {
          dirty.add(reader)
          throw err
        }
      }
      return dirty.size > 0
    }
  }
}
