import path from 'node:path'
import type { PackageView } from '@hearth/executor/runtimes'
import {
  type ArnScope,
  type FunctionLayers,
  HearthError,
  LAYER_NAME,
  LIMITS,
  layerVersionArn,
  parseLayerVersionArn
} from '@hearth/shared'
import type { ArtifactStore, LayerVersion } from '@hearth/store'
import type { LayerTrees } from '../packages/layer-trees.ts'
import { openPackageView } from '../packages/package-view.ts'
import type { LayerService } from './layer-service.ts'

/** Where functions find their layers. */
export const OPT = '/opt'

/** The layers of a function that is about to be written, kept until `release`. */
export interface Attached {
  /** Undefined: none. */
  readonly layers: FunctionLayers | undefined
  readonly versions: readonly LayerVersion[]
  readonly release: () => void
}

/** Turns the list that a function names into what it will find at /opt. */
export interface LayerAttachments {
  /**
   * @param arns - ARNs of layer versions, in order
   * @param caller - ARN of who asks, for the refusal of another account's layer
   * @throws HearthError INVALID_REQUEST, ACCESS_DENIED, INVALID_ARCHIVE
   */
  attach(arns: readonly string[], caller: string): Promise<Attached>
  /** The ARN behind what people type: an ARN, `name:3`, or `name` for its newest version. @throws HearthError INVALID_REQUEST */
  toArn(text: string): string
  /** What a function finds at /opt. @returns undefined without layers */
  view(layers: FunctionLayers | undefined): Promise<PackageView | undefined>
}

export function createLayerAttachments(
  layers: LayerService,
  trees: LayerTrees,
  artifacts: ArtifactStore,
  scope: ArnScope
): LayerAttachments {
  const resolve = (arn: string, caller: string): LayerVersion => {
    const ref = parseLayerVersionArn(arn)
    if (ref === undefined) throw absent(arn)
    if (ref.accountId !== scope.accountId) {
      throw new HearthError(
        'ACCESS_DENIED',
        `User: ${caller} is not authorized to perform: lambda:GetLayerVersion on resource: ${arn} because no resource-based policy allows the lambda:GetLayerVersion action`
      )
    }
    if (ref.region !== scope.region) {
      throw new HearthError(
        'INVALID_REQUEST',
        `Layers are not in the same region as the function. Layers are expected to be in region ${scope.region}.`
      )
    }
    const found = ref.version < 1 ? undefined : layers.find(ref.name, ref.version)
    if (found === undefined) throw absent(arn)
    return found
  }

  const resolveAll = (arns: readonly string[], caller: string): readonly LayerVersion[] => {
    if (arns.length > LIMITS.layers)
      throw new HearthError('INVALID_REQUEST', `Cannot reference more than ${LIMITS.layers} layers.`)
    const byLayer = new Map<string, string>()
    return arns.map((arn) => {
      const version = resolve(arn, caller)
      const other = byLayer.get(version.name)
      if (other !== undefined) {
        throw new HearthError(
          'INVALID_REQUEST',
          `Two different versions of the same layer are not allowed to be referenced in the same function. ${other} and ${arn} are versions of the same layer.`
        )
      }
      byLayer.set(version.name, arn)
      return version
    })
  }

  return {
    async attach(arns, caller) {
      const versions = resolveAll(arns, caller)
      if (versions.length === 0) return { layers: undefined, versions, release: () => undefined }
      const { tree, extensions, release } = await trees.combine(versions.map(({ artifact }) => artifact))
      const attached: FunctionLayers = {
        versions: versions.map(({ name, version, codeSize }) => ({
          arn: layerVersionArn(scope, name, version),
          codeSize
        })),
        unzippedSize: versions.reduce((sum, { unzippedSize }) => sum + unzippedSize, 0),
        tree,
        extensions
      }
      return { layers: attached, versions, release }
    },

    toArn(text) {
      if (text.startsWith('arn:')) return text
      const [name = '', version, ...rest] = text.split(':')
      const isNumber = version === undefined || /^[1-9]\d{0,14}$/.test(version)
      if (!LAYER_NAME.test(name) || !isNumber || rest.length > 0) {
        const message = `"${text}" names no layer: name, name:version, or the ARN of a version.`
        throw new HearthError('INVALID_REQUEST', message, { errors: [{ path: 'layers', message }] })
      }
      const number = version === undefined ? layers.findNewest(name)?.version : Number(version)
      if (number === undefined) throw new HearthError('INVALID_REQUEST', `There is no layer named ${name}.`)
      return layerVersionArn(scope, name, number)
    },

    view: async (attached) =>
      attached === undefined ? undefined : openPackageView(path.resolve(artifacts.codeDir(attached.tree)))
  }
}

/**
 * Refuses a package that is too large together with its layers.
 *
 * @throws HearthError INVALID_ARCHIVE
 */
export function checkUnzippedSize(code: number, layers: FunctionLayers | undefined): void {
  const bytes = code + (layers?.unzippedSize ?? 0)
  if (layers === undefined || bytes <= LIMITS.unzippedBytes) return
  throw new HearthError(
    'INVALID_ARCHIVE',
    `Function code combined with layers exceeds the maximum allowed size of ${LIMITS.unzippedBytes} bytes. The actual size is ${bytes} bytes.`
  )
}

/** What the deployer ought to know of layers that were not made for this function; AWS takes them too. */
export function compatibilityNotices(
  versions: readonly LayerVersion[],
  runtime: string,
  architecture: string
): readonly string[] {
  return versions.flatMap(({ name, version, runtimes, architectures }) => [
    ...(runtimes === undefined || runtimes.length === 0 || runtimes.includes(runtime)
      ? []
      : [`Layer ${name}:${version} was published for ${runtimes.join(', ')}, and this function runs on ${runtime}.`]),
    ...(architectures === undefined || architectures.length === 0 || architectures.includes(architecture)
      ? []
      : [`Layer ${name}:${version} was published for ${architectures.join(', ')}; this server is ${architecture}.`])
  ])
}

function absent(arn: string): HearthError {
  return new HearthError('INVALID_REQUEST', `Layer version ${arn} does not exist.`)
}
