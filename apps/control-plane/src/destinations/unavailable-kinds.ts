import { HearthError } from '@hearth/shared'
import type { DestinationKind } from './kind.ts'

/** What AWS sends outcomes to and this server does not, with the purposes that AWS has them for. */
const KINDS: Readonly<Record<string, { readonly what: string; readonly purposes: readonly string[] }>> = {
  sqs: { what: 'queues', purposes: ['OnSuccess', 'OnFailure', 'DeadLetter'] },
  sns: { what: 'topics', purposes: ['OnSuccess', 'OnFailure', 'DeadLetter'] },
  events: { what: 'event buses', purposes: ['OnSuccess', 'OnFailure'] },
  s3: { what: 'buckets', purposes: ['OnFailure'] }
}

/** Kinds that are not there yet: refused by name, so that nobody waits for what never comes. */
export const unavailableKinds: DestinationKind = {
  matches: (target) => Object.hasOwn(KINDS, serviceOf(target)),
  check(target, { purpose }) {
    const { what, purposes } = KINDS[serviceOf(target)]!
    if (!purposes.includes(purpose)) throw invalidDestination(target, purpose)
    throw new HearthError(
      'UNSUPPORTED_FEATURE',
      `${purpose === 'DeadLetter' ? 'DeadLetterConfig' : 'DestinationConfig'} is not supported by this server for ${target}: ${what} are not available yet. A function can take it${purpose === 'DeadLetter' ? '' : ', or a webhook'}.`
    )
  }
}

/** In AWS's words. */
export function invalidDestination(target: string, purpose: string): HearthError {
  if (purpose === 'DeadLetter') {
    return new HearthError('INVALID_REQUEST', `The provided dead letter target ${target} is invalid.`)
  }
  const [success, failure] = purpose === 'OnSuccess' ? [target, undefined] : [undefined, target]
  const member = (name: string, value: string | undefined): string =>
    value === undefined ? 'null' : `${name}(destination=${value})`
  return new HearthError(
    'INVALID_REQUEST',
    `The provided destination config DestinationConfig(onSuccess=${member('OnSuccess', success)}, onFailure=${member('OnFailure', failure)}) is invalid.`
  )
}

function serviceOf(target: string): string {
  const [start, , service = ''] = target.split(':')
  return start === 'arn' ? service : ''
}
