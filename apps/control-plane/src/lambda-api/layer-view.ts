import { type ArnScope, layerArn, layerVersionArn } from '@hearth/shared'
import type { LayerVersion } from '@hearth/store'
import type { CodeLinks } from '../code-links.ts'

/** A layer version as Publish and Get answer it. */
export function toLayerOutput(
  version: LayerVersion,
  { links, scope }: { readonly links: CodeLinks; readonly scope: ArnScope },
  origin: string
): Record<string, unknown> {
  return {
    Content: {
      Location: origin + links.signLayer(version.name, version.version),
      CodeSha256: version.codeSha256,
      CodeSize: version.codeSize
    },
    LayerArn: layerArn(scope, version.name),
    ...toLayerItem(version, scope)
  }
}

/** LayerVersionsListItem. */
export function toLayerItem(version: LayerVersion, scope: ArnScope): Record<string, unknown> {
  return {
    LayerVersionArn: layerVersionArn(scope, version.name, version.version),
    Version: version.version,
    Description: version.description,
    CreatedDate: version.createdAt.replace('Z', '+0000'),
    ...(version.runtimes === undefined ? {} : { CompatibleRuntimes: version.runtimes }),
    ...(version.architectures === undefined ? {} : { CompatibleArchitectures: version.architectures }),
    ...(version.license === undefined ? {} : { LicenseInfo: version.license })
  }
}
