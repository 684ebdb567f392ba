import { HearthError } from '@hearth/shared'
import type { Configuration } from './model.ts'

/**
 * Members that Hearth cannot honour, with the reason. They are refused by name, never dropped: a function that silently
 * lacks its VPC or its dead-letter queue is worse than none. Their empty forms, which deploy tools send all the time,
 * pass.
 */
export const REFUSED_MEMBERS = {
  VpcConfig: 'there is no VPC here',
  KMSKeyArn: "variables are encrypted under this server's own key",
  FileSystemConfigs: 'file systems cannot be attached',
  ImageConfig: 'container images are not supported',
  TenancyConfig: 'one instance is not kept per tenant; a function of its own for each tenant is',
  CapacityProviderConfig: 'functions run on this machine, and there are no capacity providers',
  DurableConfig: 'durable functions are not there yet'
} as const satisfies Partial<Record<keyof Configuration, string>>

/** @throws HearthError UNSUPPORTED_FEATURE */
export function refuseUnsupported(request: Configuration): void {
  for (const [member, why] of Object.entries(REFUSED_MEMBERS)) {
    if (isFilled(request[member as keyof typeof REFUSED_MEMBERS])) throw unsupported(member, why)
  }
}

/** @throws HearthError UNSUPPORTED_FEATURE */
export function refusePublishTo(request: { PublishTo?: unknown }): void {
  if (request.PublishTo !== undefined && request.PublishTo !== null)
    throw unsupported('PublishTo', 'it is not supported')
}

export function unsupported(member: string, why: string): HearthError {
  return new HearthError('UNSUPPORTED_FEATURE', `${member} is not supported by this server: ${why}.`, {
    errors: [{ path: `body.${member}`, message: why }]
  })
}

/** Whether a value asks for something: not null, empty, false, or made of nothing else. */
function isFilled(value: unknown): boolean {
  if (typeof value !== 'object') return value !== undefined && value !== '' && value !== false
  return value !== null && Object.values(value).some(isFilled)
}
