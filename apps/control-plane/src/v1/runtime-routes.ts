import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { RuntimeInfo } from '../functions/runtimes.ts'

const RuntimeList = z.object({
  items: z.array(
    z.object({
      id: z.string().meta({ example: 'nodejs20.x' }),
      interpreter: z.string().meta({ example: 'Node.js 20.20.2' }),
      exact: z.boolean().meta({ description: 'Whether the interpreter has the version that the name says' })
    })
  )
})

/** What this server can run. Mounted under `/v1/runtimes`. */
export const runtimeRoutes: FastifyPluginAsyncZod<{ readonly runtimes: readonly RuntimeInfo[] }> = async (
  app,
  { runtimes }
) => {
  app.get(
    '/',
    {
      schema: {
        operationId: 'listRuntimes',
        summary: 'List runtimes',
        tags: ['runtimes'],
        response: { 200: RuntimeList }
      }
    },
    async () => ({ items: [...runtimes] })
  )
}
