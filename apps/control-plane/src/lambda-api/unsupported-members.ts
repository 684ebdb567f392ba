import { HearthError } from '@hearth/shared'
import type { Configuration } from './model.ts'

/**
 * Members that Hearth cannot honour are refused by name, never dropped: a function that silently lacks its VPC or its
 * dead-letter queue is worse than none. Their empty and default forms, which deploy tools send all the time, pass.
 *
 * @throws HearthError UNSUPPORTED_FEATURE
 */
export function refuseUnsupported(request: Configuration): void {
  const { VpcConfig, DeadLetterConfig, KMSKeyArn, FileSystemConfigs, ImageConfig, SnapStart } = request
  if (isFilled(VpcConfig?.SubnetIds) || isFilled(VpcConfig?.SecurityGroupIds))
    throw unsupported('VpcConfig', 'there is no VPC here')
  if (isFilled(DeadLetterConfig?.TargetArn))
    throw unsupported('DeadLetterConfig', 'dead-letter queues are not there yet')
  if (isFilled(KMSKeyArn)) throw unsupported('KMSKeyArn', "variables are encrypted under this server's own key")
  if (isFilled(FileSystemConfigs)) throw unsupported('FileSystemConfigs', 'file systems cannot be attached')
  if (ImageConfig !== undefined && ImageConfig !== null && Object.keys(ImageConfig).length > 0) {
    throw unsupported('ImageConfig', 'container images are not supported')
  }
  if (SnapStart?.ApplyOn === 'PublishedVersions')
    throw unsupported('SnapStart', 'snapshots are not supported; ApplyOn None is')
  for (const name of ['TenancyConfig', 'CapacityProviderConfig', 'DurableConfig'] as const) {
    if (request[name] !== undefined && request[name] !== null) throw unsupported(name, 'it is not supported')
  }
}

/** @throws HearthError UNSUPPORTED_FEATURE */
export function refusePublish(request: { Publish?: boolean | null | undefined; PublishTo?: unknown }): void {
  if (request.Publish === true)
    throw unsupported('Publish', 'published versions are not there yet; Publish false is taken')
  if (request.PublishTo !== undefined && request.PublishTo !== null)
    throw unsupported('PublishTo', 'it is not supported')
}

export function unsupported(member: string, why: string): HearthError {
  return new HearthError('UNSUPPORTED_FEATURE', `${member} is not supported by this server: ${why}.`, {
    errors: [{ path: `body.${member}`, message: why }]
  })
}

function isFilled(value: string | readonly unknown[] | null | undefined): boolean {
  return value !== undefined && value !== null && value.length > 0
}
