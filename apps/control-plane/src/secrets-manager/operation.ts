import { z } from 'zod'
import { tagItem } from '../access/tags.ts'
import {
  defineJsonOperation,
  type JsonOperation,
  type JsonOperationDefinition,
  type JsonTarget
} from '../json-protocol/operation.ts'
import type { RequestContext } from '../query/operation.ts'
import { resourceTagContext } from '../secrets/resource-tags.ts'
import type { SecretService } from '../secrets/secret-service.ts'

export type SecretOperation = JsonOperation<SecretService>

export function secretOperation<Input extends z.ZodType>(
  definition: JsonOperationDefinition<SecretService, Input>
): SecretOperation {
  return defineJsonOperation(definition)
}

// Constraints of the service's model.

export const SecretId = z.string().min(1).max(2_048)
export const Token = z.string().min(32).max(64)
export const Stage = z.string().min(1).max(256)
export const Description = z.string().max(2_048)
/** Longer than a value may be: the service counts bytes. */
export const SecretString = z.string().min(1).max(65_536)
export const SecretBinary = z.base64().min(1).max(87_384)
export const Tags = z.array(tagItem(z.string().max(256).default(''))).max(50)
/** AWS's own key stands for this server's master key: no other can be named. */
export const KmsKeyId = z.enum(['alias/aws/secretsmanager', '']).optional()

/** The secret that a call names, with what policies may ask of it. */
export function secretTarget(service: SecretService, id: string, context: RequestContext = {}): JsonTarget {
  const { secret, arn } = service.find(id)
  return {
    resource: arn,
    context: {
      'secretsmanager:SecretId': id,
      ...resourceTagContext(secret?.tags ?? {}, 'aws:ResourceTag', 'secretsmanager:ResourceTag'),
      ...context
    }
  }
}

/** Times of the JSON protocol: seconds. */
export function seconds(ms: number): number {
  return ms / 1_000
}
