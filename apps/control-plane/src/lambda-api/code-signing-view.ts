import type { CodeSigningConfig } from '@hearth/store'
import type { CodeSigning, CodeSigningWish } from '../functions/code-signing.ts'
import { toAwsTime } from './configuration-view.ts'
import { checkModel } from './constraints.ts'
import { CodeSigningConfigRequest } from './model.ts'
import type { OperationCall } from './operation.ts'

/** CodeSigningConfig as AWS's answers have it. */
export function toCodeSigningConfig(config: CodeSigningConfig, signing: Pick<CodeSigning, 'toArn'>) {
  return {
    CodeSigningConfigId: config.id,
    CodeSigningConfigArn: signing.toArn(config.id),
    Description: config.description,
    AllowedPublishers: { SigningProfileVersionArns: config.publishers },
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: config.untrusted },
    LastModified: toAwsTime(config.lastModified)
  }
}

/** The change that a request's members ask for; what is not sent is not in it. */
export function toCodeSigningWish(request: {
  readonly Description?: string | null | undefined
  readonly AllowedPublishers?: { readonly SigningProfileVersionArns: readonly string[] } | null | undefined
  readonly CodeSigningPolicies?:
    | { readonly UntrustedArtifactOnDeployment?: CodeSigningConfig['untrusted'] | null | undefined }
    | null
    | undefined
}): Partial<CodeSigningWish> {
  const { Description, AllowedPublishers, CodeSigningPolicies } = request
  const untrusted = CodeSigningPolicies?.UntrustedArtifactOnDeployment
  return {
    ...(typeof Description === 'string' ? { description: Description } : {}),
    ...(AllowedPublishers ? { publishers: AllowedPublishers.SigningProfileVersionArns } : {}),
    ...(untrusted ? { untrusted } : {})
  }
}

/** The ARN in a call's path. @throws HearthError VALIDATION_FAILED */
export function signingArnOf(call: OperationCall): string {
  return checkModel(CodeSigningConfigRequest, { CodeSigningConfigArn: call.params['arn'] }).CodeSigningConfigArn
}
