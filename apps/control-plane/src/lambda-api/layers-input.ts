import { LAYER_VERSION_ARN_PATTERN } from '@hearth/shared'
import type { Attached, LayerAttachments } from '../layers/layer-attachments.ts'
import { clause, validationFailed } from './constraints.ts'

const ARN = new RegExp(`^(?:${LAYER_VERSION_ARN_PATTERN})$`)
const CONSTRAINT = `Member must satisfy constraint: [Member must have length less than or equal to 2048, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: ${LAYER_VERSION_ARN_PATTERN}, Member must not be null]`

/**
 * Makes the tree of the layers that a request names, for as long as `use` takes to write the function.
 *
 * @param arns - The member `Layers`
 * @param use - Gets undefined when the request does not speak of layers
 * @throws HearthError VALIDATION_FAILED, INVALID_REQUEST, ACCESS_DENIED, INVALID_ARCHIVE, and what `use` throws
 */
export async function withLayers<T>(
  attachments: LayerAttachments,
  arns: readonly string[] | null | undefined,
  caller: string,
  use: (attached: Attached | undefined) => Promise<T>
): Promise<T> {
  if (arns === undefined || arns === null) return use(undefined)
  if (!arns.every((arn) => arn.length <= 2_048 && ARN.test(arn)))
    throw validationFailed([clause(arns, ['Layers'], CONSTRAINT)])
  const attached = await attachments.attach(arns, caller)
  try {
    return await use(attached)
  } finally {
    attached.release()
  }
}
