import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { MasterKeyStatus, MasterKeys } from '../master-key/master-keys.ts'

const tags = ['secrets']
const StatusView = z.object({
  source: z.enum(['file', 'configuration']).meta({ description: 'Where the keys are' }),
  keys: z
    .array(
      z.object({
        id: z.string().meta({ description: 'Names the key without telling it' }),
        retiredAt: z.string().nullable().meta({ description: 'Since when it only opens' }),
        sealed: z.int().meta({ description: 'Values that are sealed under it' })
      })
    )
    .meta({ description: 'The one that seals first' }),
  unreadable: z.int().meta({ description: 'Values that no key opens' })
})

/** The key that everything secret is sealed under. Mounted under `/v1/master-key`. */
export const masterKeyRoutes: FastifyPluginAsyncZod<{ readonly masterKeys: MasterKeys }> = async (
  app,
  { masterKeys }
) => {
  app.get(
    '/',
    {
      schema: {
        operationId: 'getMasterKey',
        summary: 'Say which master keys there are, and what is sealed under them',
        tags,
        response: { 200: StatusView }
      }
    },
    async () => toView(masterKeys.status())
  )

  app.post(
    '/rotate',
    {
      schema: {
        operationId: 'rotateMasterKey',
        summary: 'Make a new master key',
        description:
          'It seals from now on; what was sealed before is sealed anew in the background. The old key is kept for a day, and longer if something needs it.',
        tags,
        response: { 200: StatusView }
      }
    },
    async () => toView(masterKeys.rotate())
  )
}

function toView({ source, keys, unreadable }: MasterKeyStatus): z.input<typeof StatusView> {
  return { source, keys: keys.map((key) => ({ ...key, retiredAt: key.retiredAt ?? null })), unreadable }
}
