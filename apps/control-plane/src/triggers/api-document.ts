import { z } from 'zod'
import type { Apis } from '../apis/apis.ts'

// Documents of APIs in /v1: what HTTP and WebSocket ones have in common.

const FunctionRef = z.string().min(1).max(200).meta({ description: 'Name, name:qualifier or ARN of a function' })
export const Throttle = z
  .strictObject({
    rate: z.number().min(0).optional().meta({ description: 'Requests per second' }),
    burst: z.int().min(0).optional()
  })
  .meta({ description: 'More is answered with 429' })
const LambdaAuthorizer = z.strictObject({
  type: z.literal('lambda'),
  function: FunctionRef,
  identitySources: z.array(z.string()).max(20).optional(),
  payloadFormat: z.enum(['1.0', '2.0']).optional().meta({ description: 'HTTP. Default: 2.0' }),
  simpleResponses: z.boolean().optional().meta({ description: 'HTTP, 2.0: {"isAuthorized": true}. Default: true' }),
  ttlSeconds: z.int().min(0).max(3_600).optional().meta({ description: 'HTTP. Default: 0' })
})
export const Authorizer = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('jwt'),
    issuer: z.string().min(1).max(2_048),
    audience: z.array(z.string()).min(1).max(50),
    identitySource: z.string().optional().meta({ description: 'Default: $request.header.Authorization' })
  }),
  LambdaAuthorizer
])
const Route = z.strictObject({
  function: FunctionRef,
  timeoutMs: z.int().optional().meta({ description: '50 to 30000; WebSocket: 29000. Default: the most' }),
  authorizer: z.string().optional().meta({ description: 'Name of an authorizer of this document, or iam' }),
  requireKey: z.boolean().optional().meta({ description: 'Callers need an API key. Default: false' }),
  throttle: Throttle.optional()
})
export const HttpRoute = Route.extend({
  payloadFormat: z.enum(['1.0', '2.0']).optional().meta({ description: 'Default: 2.0' }),
  scopes: z.array(z.string()).max(10).optional().meta({ description: 'JWT: one of them must be in the token' })
})
export const WebSocketRoute = Route.extend({
  reply: z.boolean().optional().meta({ description: "The function's answer goes back to the client. Default: false" })
})
export const ApiBody = {
  enabled: z.boolean().optional().meta({ description: 'False: nothing is served. Default: true' }),
  description: z.string().max(1_024).nullish(),
  authorizers: z.record(z.string(), Authorizer).optional().meta({ description: 'By name; routes name them' }),
  stageVariables: z.record(z.string(), z.string()).optional(),
  domains: z
    .array(z.string().min(1).max(512))
    .max(20)
    .optional()
    .meta({ description: 'Host names that lead here, each with the first parts of a path or without' }),
  throttle: Throttle.optional().meta({ description: 'Of each route that has none of its own' }),
  tags: z.record(z.string(), z.string()).optional()
}

/** A document, whichever kind it is of. */
export interface ApiDocument {
  readonly settings: Omit<Parameters<Apis['create']>[0], 'name' | 'protocolType'>
  readonly stage: string
  readonly routes: Readonly<Record<string, z.output<typeof HttpRoute> & z.output<typeof WebSocketRoute>>>
  readonly body: z.output<z.ZodObject<typeof ApiBody>>
}
