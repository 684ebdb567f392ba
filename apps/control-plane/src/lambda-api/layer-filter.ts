import { z } from 'zod'
import type { Runtimes } from '../functions/runtimes.ts'
import type { LayerFilter } from '../layers/layer-service.ts'
import { checkModel, clause, validationFailed } from './constraints.ts'
import { oneOf } from './layer-target.ts'
import type { OperationCall } from './operation.ts'
import { type MarkerRequest, PAGE } from './page.ts'

/** Names of processors that AWS has. */
export const ARCHITECTURES = ['x86_64', 'arm64']

/** Source: Lambda service model, type MaxLayerListItems. */
const ListRequest = z.object({
  Marker: z.string().max(512).optional(),
  MaxItems: z.number().int().min(1).max(PAGE).optional()
})

/**
 * What ListLayers and ListLayerVersions take in their queries.
 *
 * @throws HearthError VALIDATION_FAILED, INVALID_PAYLOAD
 */
export function readListQuery(
  { query }: OperationCall,
  runtimes: Runtimes
): { readonly page: MarkerRequest; readonly filter: LayerFilter } {
  const maxItems = oneOf(query['MaxItems'])
  const page = checkModel(ListRequest, {
    ...(query['Marker'] === undefined ? {} : { Marker: query['Marker'] }),
    ...(maxItems === undefined ? {} : { MaxItems: Number(maxItems) })
  })
  const runtime = oneOf(query['CompatibleRuntime'])
  const architecture = oneOf(query['CompatibleArchitecture'])
  const wrong = [
    ...outside(runtime, ['CompatibleRuntime'], runtimes.known),
    ...outside(architecture, ['CompatibleArchitecture'], ARCHITECTURES)
  ]
  if (wrong.length > 0) throw validationFailed(wrong)
  return { page, filter: { runtime, architecture } }
}

function outside(value: string | undefined, path: readonly string[], allowed: readonly string[]): readonly string[] {
  if (value === undefined || allowed.includes(value)) return []
  return [clause(value, path, `Member must satisfy enum value set: [${allowed.join(', ')}]`)]
}
