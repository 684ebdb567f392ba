import { type ArnScope, type Authorizer, type ContextKeys, contextKeys } from '@hearth/shared'
import type { Entry } from './function-routes.ts'

/** A service that wants to invoke a function for somebody. */
export interface ServiceCall {
  /** `apigateway.amazonaws.com` */
  readonly service: string
  /** Role that it takes; undefined: the function's own policy must let the service in. */
  readonly roleArn: string | undefined
  readonly requestId: string
  /** What the policy may ask about. */
  readonly keys: ContextKeys
}

/** What policies may ask about a service's calls: on account of what it calls. */
export function sourceKeys({ accountId }: ArnScope, sourceArn: string): ContextKeys {
  return contextKeys({ 'aws:SourceArn': sourceArn, 'aws:SourceAccount': accountId })
}

/** @throws HearthError MALFORMED_POLICY, CONTROL_PLANE_UNAVAILABLE */
export function mayServiceInvoke(
  access: Pick<Authorizer, 'mayService'>,
  { service, roleArn, requestId, keys }: ServiceCall,
  { invokedArn, policy }: Entry
): boolean {
  const wish = { action: 'lambda:InvokeFunction', resource: invokedArn, resourcePolicy: policy, keys }
  const facts = { requestId, sourceIp: undefined, userAgent: roleArn ?? service, secure: false }
  return access.mayService(service, roleArn, wish, facts)
}
