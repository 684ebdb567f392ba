import { type ArnScope, type Authorizer, HearthError, LIMITS, parseFunctionRef } from '@hearth/shared'
import type { Entry } from '../function-routes.ts'
import { mayServiceInvoke, sourceKeys } from '../service-access.ts'

export interface TargetCheckOptions {
  readonly scope: ArnScope
  /** @returns undefined when the function, version or alias is gone */
  readonly find: (functionName: string, qualifier: string) => Entry | undefined
  /** Decides, and keeps what was refused. */
  readonly access: () => Pick<Authorizer, 'mayService'>
}

/** What somebody wants to give to a function. */
export interface TargetWish {
  readonly service: string
  readonly sourceArn: string
  /** Undefined: the service itself asks, and the function's own policy must let it in. */
  readonly roleArn: string | undefined
  readonly requestId: string
  readonly payloadBytes: number
}

/** Why a target cannot have an event, in EventBridge's words. */
export interface Failure {
  readonly code: 'NO_RESOURCE' | 'NO_PERMISSIONS' | 'INVALID_PAYLOAD'
  readonly message: string
}

/** @throws HearthError CONTROL_PLANE_UNAVAILABLE while nobody knows */
export type TargetCheck = (wish: TargetWish, arn: string) => Failure | undefined

/** Says whether functions may have what services have for them. */
export function createTargetCheck({ scope, find, access }: TargetCheckOptions): TargetCheck {
  const failureOf = (wish: TargetWish, arn: string): Failure | undefined => {
    const { service, roleArn, sourceArn, requestId, payloadBytes } = wish
    const { name, qualifier = '' } = parseFunctionRef(scope, arn)
    const entry = find(name, qualifier)
    if (entry === undefined) return { code: 'NO_RESOURCE', message: `Function not found: ${arn}` }
    if (!mayServiceInvoke(access(), { service, roleArn, requestId, keys: sourceKeys(scope, sourceArn) }, entry)) {
      const message = `${roleArn ?? service} is not authorized to perform: lambda:InvokeFunction on resource: ${entry.invokedArn}`
      return { code: 'NO_PERMISSIONS', message }
    }
    if (payloadBytes > LIMITS.asyncPayloadBytes) {
      const message = `${payloadBytes} bytes are more than an event may have: ${LIMITS.asyncPayloadBytes}`
      return { code: 'INVALID_PAYLOAD', message }
    }
    return undefined
  }

  return (wish, arn) => {
    try {
      return failureOf(wish, arn)
    } catch (err) {
      // A policy that cannot be read allows nothing; while the database cannot be read nobody knows.
      if (!(err instanceof HearthError) || err.code === 'CONTROL_PLANE_UNAVAILABLE') throw err
      return { code: err.code === 'MALFORMED_POLICY' ? 'NO_PERMISSIONS' : 'NO_RESOURCE', message: err.message }
    }
  }
}
