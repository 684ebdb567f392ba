import { parseLayerName } from '@hearth/shared'
import { z } from 'zod'
import { OPT } from '../layers/layer-attachments.ts'
import { CODE_BODY_BYTES, readCode, withPackage } from './code-input.ts'
import { checkModel, clause, validationFailed } from './constraints.ts'
import { ARCHITECTURES } from './layer-filter.ts'
import { toLayerOutput } from './layer-view.ts'
import { Code } from './model.ts'
import type { Operation } from './operation.ts'

/** Runtimes that a version may name. Source: Lambda service model, type CompatibleRuntimes. */
const RUNTIMES = 15

const Request = z.object({
  Content: Code,
  Description: z.string().max(256).nullish(),
  LicenseInfo: z.string().max(512).nullish(),
  CompatibleRuntimes: z.array(z.string()).max(RUNTIMES).nullish(),
  CompatibleArchitectures: z.array(z.string()).max(2).nullish()
})

/** @see reference: Lambda control API §12, PublishLayerVersion */
export const publishLayerVersion: Operation = {
  name: 'PublishLayerVersion',
  method: 'POST',
  path: '/2018-10-31/layers/:name/versions',
  bodyLimit: CODE_BODY_BYTES,

  async run({ params, body, origin }, deps) {
    const name = parseLayerName(deps.scope, params['name'] ?? '')
    const request = checkModel(Request, body)
    const runtimes = request.CompatibleRuntimes ?? undefined
    const architectures = request.CompatibleArchitectures ?? undefined
    const wrong = [
      ...outside(runtimes, ['CompatibleRuntimes'], deps.runtimes.known),
      ...outside(architectures, ['CompatibleArchitectures'], ARCHITECTURES)
    ]
    if (wrong.length > 0) throw validationFailed(wrong)
    const settings = {
      description: request.Description ?? '',
      license: request.LicenseInfo ?? undefined,
      runtimes,
      architectures
    }
    const source = readCode(request.Content, deps.s3)
    const version = await withPackage(deps.packages, source, { home: OPT }, (code) =>
      deps.layers.publish(name, settings, code)
    )
    return { status: 201, body: toLayerOutput(version, deps, origin) }
  }
}

function outside(
  values: readonly string[] | undefined,
  path: readonly string[],
  allowed: readonly string[]
): readonly string[] {
  if (values === undefined || values.every((value) => allowed.includes(value))) return []
  const constraint = `Member must satisfy constraint: [Member must satisfy enum value set: [${allowed.join(', ')}], Member must not be null]`
  return [clause(values, path, constraint)]
}
