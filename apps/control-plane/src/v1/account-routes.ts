import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { AccountSettings } from '../functions/account.ts'

const bytes = z.int().min(0).meta({ description: 'Bytes' })
const count = z.int().min(0)

const Account = z.object({
  limits: z.object({
    codeBytes: bytes.meta({ description: 'Bytes that packages take now and could take besides' }),
    unzippedBytes: bytes.meta({ description: 'Bytes of one package, unpacked' }),
    zipBytes: bytes.meta({ description: 'Bytes of one package, as uploaded' }),
    concurrency: count.meta({ description: 'Events in flight at once, over all functions' }),
    unreservedConcurrency: count.meta({ description: 'What of it is left for functions without a reservation' })
  }),
  usage: z.object({ codeBytes: bytes, functions: count })
})

/** What this server can hold, and holds. Mounted under `/v1/account`. */
export const accountRoutes: FastifyPluginAsyncZod<{ readonly account: () => AccountSettings }> = async (
  app,
  { account }
) => {
  app.get(
    '/',
    {
      schema: {
        operationId: 'getAccount',
        summary: 'Limits and usage',
        tags: ['system'],
        response: { 200: Account }
      }
    },
    async () => {
      const { limit, usage } = account()
      return { limits: limit, usage }
    }
  )
}
