import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Runtimes } from '../functions/runtimes.ts'

const RuntimeList = z.object({
  items: z.array(
    z.object({
      id: z.string().meta({ example: 'nodejs20.x' }),
      language: z.string().meta({ example: 'node' }),
      interpreter: z
        .string()
        .nullable()
        .meta({ example: 'Node.js 20.20.2', description: 'What runs it; null when nothing on this server does' }),
      exact: z.boolean().meta({ description: 'Whether the interpreter has the version that the name says' }),
      remedy: z.string().nullable().meta({ description: 'What to install, when nothing runs it' })
    })
  )
})

/** What this server can run. Mounted under `/v1/runtimes`. */
export const runtimeRoutes: FastifyPluginAsyncZod<{ readonly runtimes: Runtimes }> = async (app, { runtimes }) => {
  app.get(
    '/',
    {
      schema: {
        operationId: 'listRuntimes',
        summary: 'List runtimes',
        description: 'Every runtime that Hearth knows, and what serves it on this machine.',
        tags: ['runtimes'],
        response: { 200: RuntimeList }
      }
    },
    async () => ({
      items: runtimes.list().map(({ runtime, language, interpreter = null, exact, remedy = null }) => ({
        id: runtime,
        language,
        interpreter,
        exact,
        remedy
      }))
    })
  )
}
