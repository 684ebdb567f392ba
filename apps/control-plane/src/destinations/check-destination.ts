import type { ArnScope } from '@hearth/shared'
import { createFunctionKind, type MayInvoke } from './function-kind.ts'
import type { DestinationUse } from './kind.ts'
import { invalidDestination, unavailableKinds } from './unavailable-kinds.ts'
import { createWebhookKind } from './webhook-kind.ts'

export interface DestinationDeps {
  readonly scope: ArnScope
  /** Whether there is such a function, version or alias. */
  readonly exists: (functionName: string, qualifier: string | undefined) => boolean
  readonly mayInvoke: MayInvoke
  /** Networks that webhooks may reach beside public addresses. */
  readonly webhookNetworks: readonly string[]
}

/** @throws HearthError when nothing could be sent to `target` */
export type CheckDestination = (target: string, use: DestinationUse) => void

/** Asks the kind that a target is of. */
export function createDestinationCheck({
  scope,
  exists,
  mayInvoke,
  webhookNetworks
}: DestinationDeps): CheckDestination {
  const kinds = [createFunctionKind(scope, exists, mayInvoke), createWebhookKind(webhookNetworks), unavailableKinds]
  return (target, use) => {
    const kind = kinds.find((one) => one.matches(target))
    if (kind === undefined) throw invalidDestination(target, use.purpose)
    kind.check(target, use)
  }
}
