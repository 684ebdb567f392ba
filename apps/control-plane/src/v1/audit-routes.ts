import { HearthError, parseSince, SINCE_RULE } from '@hearth/shared'
import { readAudit } from '@hearth/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'

export interface AuditRoutesOptions {
  /** Folder of the trails of all processes. */
  readonly auditDir: string
  readonly now: () => Date
}

/** The processes that keep one. */
const TRAILS = ['control-plane', 'gateway']

const Entry = z.object({
  at: z.string(),
  requestId: z.string(),
  principal: z.string().meta({ description: 'ARN of who asked, or `anonymous`' }),
  keyId: z.string().optional(),
  sourceIp: z.string().optional(),
  userAgent: z.string().optional(),
  action: z.string().meta({ example: 'lambda:DeleteFunction' }),
  resource: z.string(),
  decision: z.enum(['allowed', 'explicitDeny', 'implicitDeny']),
  by: z.string().optional().meta({ description: 'Kind of policy that decided, or that has no Allow' }),
  statement: z
    .object({ policy: z.string(), index: z.int(), sid: z.string().optional() })
    .optional()
    .meta({ description: 'The statement that decided, counted from 0' }),
  suppressed: z
    .int()
    .optional()
    .meta({ description: 'Entries before this one that were left out: more than 500 in a second' })
})

const Query = z.object({
  since: z.string().max(64).default('1d').meta({ description: 'A time, or how long ago: `90s`, `10m`, `2h`, `1d`' }),
  until: z.string().max(64).optional(),
  principal: z.string().max(2_048).optional(),
  action: z.string().max(128).optional(),
  resource: z.string().max(2_048).optional(),
  decision: z.enum(['allowed', 'explicitDeny', 'implicitDeny']).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100)
})

/** Who did what, and who was refused. Mounted under `/v1/audit`. */
export const auditRoutes: FastifyPluginAsyncZod<AuditRoutesOptions> = async (app, { auditDir, now }) => {
  app.get(
    '/',
    {
      schema: {
        operationId: 'listAuditEntries',
        summary: 'Who did what, and who was refused',
        description:
          'The newest first. Every request to the control plane is here, and every refused invocation. An entry can be read some milliseconds after its answer.',
        tags: ['access'],
        querystring: Query,
        response: { 200: z.object({ items: z.array(Entry) }) }
      }
    },
    async ({ query }) => ({
      items: await readAudit(auditDir, TRAILS, {
        ...query,
        since: timeOf('since', query.since, now()),
        until: query.until === undefined ? '' : timeOf('until', query.until, now())
      })
    })
  )
}

function timeOf(name: string, text: string, now: Date): string {
  const at = parseSince(text, now.getTime())
  if (at !== undefined) return at
  throw new HearthError('INVALID_REQUEST', `query.${name}: ${SINCE_RULE}`, {
    errors: [{ path: `query.${name}`, message: SINCE_RULE }]
  })
}
