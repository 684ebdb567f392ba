import { HearthError } from '@hearth/shared'
import { z } from 'zod'

export const TriggerName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[.\-_A-Za-z0-9]+$/)

/** Of every kind. */
export const Common = {
  function: z.string().min(1).max(200).meta({ description: 'Name, name:qualifier or ARN of the function' }),
  enabled: z.boolean().optional().meta({ description: 'False: paused. Default: true' }),
  description: z.string().max(512).nullish(),
  input: z.unknown().optional().meta({ description: 'Any JSON: what the function gets instead of the event' }),
  deadLetterFunction: z.string().min(1).max(200).nullish().meta({ description: 'Gets what the function may not have' })
}

/** What AWS's API made under the name is of another kind, and stays. @throws HearthError RESOURCE_EXISTS */
export function refuseForeign(isForeign: boolean, name: string): void {
  if (isForeign) throw new HearthError('RESOURCE_EXISTS', `There is a rule ${name} of another kind.`)
}
