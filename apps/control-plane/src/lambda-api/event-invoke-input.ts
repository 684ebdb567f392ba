import { HearthError } from '@hearth/shared'
import { z } from 'zod'
import type { EventInvokeSettings } from '../functions/event-invoke-service.ts'
import { checkModel } from './constraints.ts'
import type { OperationCall } from './operation.ts'

/** Source: Lambda service model, type DestinationArn. */
const DESTINATION =
  /^(?:$|kafka:\/\/([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*))$/

const Destination = z.object({ Destination: z.string().max(350).regex(DESTINATION).nullish() }).nullish()

/** Of Put and Update. */
const Request = z.object({
  MaximumRetryAttempts: z.number().int().min(0).max(2).nullish(),
  MaximumEventAgeInSeconds: z.number().int().min(60).max(21_600).nullish(),
  DestinationConfig: z.object({ OnSuccess: Destination, OnFailure: Destination }).nullish()
})

/**
 * What Put and Update ask for; what is not sent is not in it.
 *
 * @throws HearthError VALIDATION_FAILED, INVALID_REQUEST
 */
export function eventInvokeChange(call: OperationCall): Partial<EventInvokeSettings> {
  const { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig } = checkModel(Request, call.body)
  const { OnSuccess, OnFailure } = DestinationConfig ?? {}
  const change = {
    ...(MaximumRetryAttempts == null ? {} : { maxRetries: MaximumRetryAttempts }),
    ...(MaximumEventAgeInSeconds == null ? {} : { maxAgeS: MaximumEventAgeInSeconds }),
    ...(OnSuccess == null ? {} : { onSuccess: toWish(OnSuccess.Destination) }),
    ...(OnFailure == null ? {} : { onFailure: toWish(OnFailure.Destination) })
  }
  if (Object.keys(change).length === 0) {
    throw new HearthError('INVALID_REQUEST', 'You must specify at least one of error handling or destination setting.')
  }
  return change
}

/** An empty text takes a destination away. */
function toWish(target: string | null | undefined): { readonly target: string } | undefined {
  return target === null || target === undefined || target === '' ? undefined : { target }
}
