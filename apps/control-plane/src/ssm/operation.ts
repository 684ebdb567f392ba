import type { ParameterVersion } from '@hearth/store'
import { z } from 'zod'
import { tagItem } from '../access/tags.ts'
import {
  defineJsonOperation,
  type JsonOperation,
  type JsonOperationDefinition,
  type JsonTarget
} from '../json-protocol/operation.ts'
import type { RequestContext } from '../query/operation.ts'
import type { ParameterService } from '../secrets/parameter-service.ts'
import { resourceTagContext } from '../secrets/resource-tags.ts'

export type ParameterOperation = JsonOperation<ParameterService>

export function parameterOperation<Input extends z.ZodType>(
  definition: JsonOperationDefinition<ParameterService, Input>
): ParameterOperation {
  return defineJsonOperation(definition)
}

// Constraints of the service's model.

export const Name = z.string().min(1).max(2_048)
export const Names = z.array(Name).min(1).max(10)
export const Type = z.enum(['String', 'StringList', 'SecureString'])
export const Tags = z.array(tagItem(z.string().max(256))).max(1_000)

/** The parameter that a call names, with what policies may ask of it. */
export function parameterTarget(service: ParameterService, text: string, context: RequestContext = {}): JsonTarget {
  const { name } = service.refOf(text)
  const tags = service.find({ name, selector: undefined }) === undefined ? {} : service.tags(name)
  return {
    resource: service.arnOf(name),
    context: { ...resourceTagContext(tags, 'aws:ResourceTag', 'ssm:resourceTag'), ...context }
  }
}

/** @param selector - What the caller named beside the parameter. */
export function valueView(service: ParameterService, version: ParameterVersion, decrypt: boolean, selector?: string) {
  return {
    Name: version.name,
    Type: version.type,
    Value: service.valueOf(version, decrypt),
    Version: version.version,
    ...(selector === undefined ? {} : { Selector: `:${selector}` }),
    LastModifiedDate: version.modifiedAt / 1_000,
    ARN: service.arnOf(version.name),
    DataType: 'text'
  }
}

export function metadataView(service: ParameterService, version: ParameterVersion) {
  return {
    Name: version.name,
    ARN: service.arnOf(version.name),
    Type: version.type,
    ...(version.type === 'SecureString' ? { KeyId: 'alias/aws/ssm' } : {}),
    LastModifiedDate: version.modifiedAt / 1_000,
    LastModifiedUser: version.modifiedBy,
    ...(version.description === undefined ? {} : { Description: version.description }),
    Version: version.version,
    Tier: version.tier,
    Policies: [],
    DataType: 'text'
  }
}
