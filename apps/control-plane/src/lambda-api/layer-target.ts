import { parseLayerName } from '@hearth/shared'
import { z } from 'zod'
import { checkModel } from './constraints.ts'
import type { LambdaApiDeps, OperationCall } from './operation.ts'

const VersionNumber = z.object({ VersionNumber: z.number().int() })

/**
 * The layer version that a call names in its path.
 *
 * @throws HearthError VALIDATION_FAILED, INVALID_PAYLOAD, LAYER_NOT_FOUND, ACCESS_DENIED
 */
export function layerVersionOf(
  { params }: OperationCall,
  { scope }: LambdaApiDeps
): { readonly name: string; readonly version: number } {
  const name = parseLayerName(scope, params['name'] ?? '')
  // What is no number is told as the text that it is.
  const text = params['version'] ?? ''
  const { VersionNumber: version } = checkModel(VersionNumber, {
    VersionNumber: /^-?\d+$/.test(text) ? Number(text) : text
  })
  return { name, version }
}

export function oneOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
