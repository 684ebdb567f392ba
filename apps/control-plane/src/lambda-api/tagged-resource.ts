import { HearthError, parseFunctionRef } from '@hearth/shared'
import type { Tags } from '../functions/function-tags.ts'
import { checkModel } from './constraints.ts'
import { TaggedRequest } from './model.ts'
import type { LambdaApiDeps, OperationCall } from './operation.ts'

/** Something that has tags. */
export interface TaggedResource {
  read(): Tags
  change(change: (tags: Tags) => Tags): void
}

/** Kinds of resources that can be tagged on AWS and of which there is none here. */
const ABSENT: Readonly<Record<string, string>> = {
  'event-source-mapping': 'Event source mapping',
  'capacity-provider': 'Capacity provider',
  'network-connector': 'Network connector'
}

/**
 * What the ARN in a call's path names.
 *
 * @throws HearthError VALIDATION_FAILED, INVALID_REQUEST, RESOURCE_NOT_FOUND, FUNCTION_NOT_FOUND, ACCESS_DENIED
 * @see reference: Lambda control API §13
 */
export function taggedResourceOf(call: OperationCall, deps: LambdaApiDeps): TaggedResource {
  const { Resource: arn } = checkModel(TaggedRequest, { Resource: call.params['resource'] })
  const kind = arn.split(':')[5] ?? ''
  if (kind === 'code-signing-config') {
    return {
      read: () => deps.codeSigning.get(arn).tags,
      change: (change) => {
        deps.codeSigning.changeTags(arn, change)
      }
    }
  }
  const absent = ABSENT[kind]
  if (absent !== undefined) throw new HearthError('RESOURCE_NOT_FOUND', `${absent} not found: ${arn}`)
  const { name, qualifier } = parseFunctionRef(deps.scope, arn)
  if (qualifier !== undefined) {
    throw new HearthError(
      'INVALID_REQUEST',
      'Tags on function aliases and versions are not supported. Please specify a function ARN.'
    )
  }
  return {
    read: () => deps.tags.get(name),
    change: (change) => {
      deps.tags.change(name, change)
    }
  }
}
