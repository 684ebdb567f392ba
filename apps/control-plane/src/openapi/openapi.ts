import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { DOCS_POLICY } from '../http/browser-headers.ts'
import { gatewayPaths } from './gateway-paths.ts'

const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string(),
    code: z.string().meta({ description: 'Stable: branch on this.', example: 'FUNCTION_NOT_FOUND' }),
    fault: z.enum(['caller', 'function', 'platform']),
    retryable: z.boolean(),
    reason: z.string().optional(),
    requestId: z.string(),
    log: z.string().optional().meta({ description: 'Of a build that failed: its end' }),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional()
  })
  .meta({ description: 'RFC 9457 problem details' })

const problemResponse = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: Problem } }
})

/**
 * The description of /v1 at /openapi.json and its page at /docs. Both are open to read: they are the same on every
 * Hearth and say nothing about what is deployed on this one.
 */
export const openapi = fp(
  async (app) => {
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Hearth',
          version: '0.1.0',
          description: 'Deploy and manage functions. The AWS Lambda API is served beside this one, at its own paths.',
          license: { name: 'Apache-2.0', identifier: 'Apache-2.0' }
        },
        servers: [{ url: '/' }],
        security: [{ bearer: [] }],
        tags: [
          { name: 'functions', description: 'Functions and their code' },
          { name: 'versions', description: 'Published versions, aliases that point to them, and releases' },
          { name: 'layers', description: 'Code that functions find at /opt' },
          { name: 'invocations', description: 'Running functions, and what they logged' },
          { name: 'concurrency', description: 'How many events run at once, and instances that are started ahead' },
          { name: 'urls', description: 'Function URLs and custom domains' },
          { name: 'access', description: 'Users, their keys, roles, and policies' },
          { name: 'secrets', description: 'Secrets with their versions, and the master key' },
          { name: 'runtimes', description: 'What this server can run' },
          { name: 'usage', description: 'What functions used, its price, and budgets' },
          { name: 'system', description: 'Health and metrics' }
        ],
        // A copy: what is registered here is added to it.
        paths: structuredClone(gatewayPaths) as never,
        components: {
          securitySchemes: {
            bearer: {
              type: 'http',
              scheme: 'bearer',
              description: 'The text of data/token. AWS Signature Version 4 is taken too.'
            }
          }
        }
      },
      transform: (route) => withKey(route.route.method, jsonSchemaTransform(route)),
      transformObject: jsonSchemaTransformObject
    })

    app.addHook('onRoute', (route) => {
      if (isOwn(route)) route.config = { ...route.config, access: 'open' }
      if (route.schema?.operationId === undefined) return
      const response = { ...(route.schema.response as Record<string, unknown> | undefined) }
      response['4XX'] ??= problemResponse('Refused: `code` says why')
      response['5XX'] ??= problemResponse('Failed on the side of the server')
      route.schema.response = response
    })

    await app.register(swaggerUi, { routePrefix: '/docs', uiConfig: { deepLinking: true }, staticCSP: DOCS_POLICY })
    app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
      reply.serializer(JSON.stringify).header('content-type', 'application/json').send(app.swagger())
    )
  },
  { name: 'openapi' }
)

const IDEMPOTENCY_KEY = {
  type: 'string',
  minLength: 1,
  maxLength: 255,
  description: 'The same request under the same key is done once in 24 hours: see docs/idempotency.md'
}

/** Described here alone: a schema of headers would take part in every request. */
function withKey<Described extends { schema: object }>(method: string | string[], described: Described): Described {
  const isChange = ['POST', 'PUT', 'PATCH'].some((name) => [method].flat().includes(name))
  if (!isChange) return described
  const headers = { type: 'object', properties: { 'Idempotency-Key': IDEMPOTENCY_KEY } }
  return { ...described, schema: { ...described.schema, headers } }
}

function isOwn({ url }: RouteOptions): boolean {
  return url === '/openapi.json' || url === '/docs' || url.startsWith('/docs/')
}
