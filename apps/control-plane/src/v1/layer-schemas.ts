import { LAYER_NAME } from '@hearth/shared'
import { z } from 'zod'

export const LayerName = z
  .string()
  .regex(LAYER_NAME, 'a layer name has 1 to 140 letters, digits, hyphens and underscores')
  .meta({ description: 'Layer name', example: 'libs' })

export const VersionParams = z.object({
  name: LayerName,
  version: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, 'a version number')
    .meta({ example: '1' })
})

const list = z.string().max(512)

export const PublishQuery = z.strictObject({
  description: z.string().max(256).optional(),
  license: z.string().max(512).optional().meta({ example: 'MIT' }),
  runtimes: list.optional().meta({ description: 'Runtimes that it is for, comma separated', example: 'nodejs20.x' }),
  architectures: list.optional().meta({ description: 'Processors that it is for, comma separated', example: 'x86_64' })
})

export const LayerVersionView = z
  .object({
    name: z.string(),
    version: z.int().min(1),
    arn: z.string().meta({ description: 'What functions name' }),
    description: z.string(),
    license: z.string().nullable(),
    runtimes: z.array(z.string()).nullable(),
    architectures: z.array(z.string()).nullable(),
    codeSha256: z.string().meta({ description: 'Base64' }),
    codeSize: z.int().min(0).meta({ description: 'Bytes as uploaded' }),
    unzippedSize: z.int().min(0).meta({ description: 'Bytes of its files' }),
    createdAt: z.string().meta({ description: 'ISO 8601, UTC' })
  })
  .meta({ description: 'A version of a layer' })
export type LayerVersionView = z.infer<typeof LayerVersionView>

export const LayerVersionList = z.object({ items: z.array(LayerVersionView), nextCursor: z.string().nullable() })
