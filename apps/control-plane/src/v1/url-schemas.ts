import { z } from 'zod'
import { FunctionName } from './function-schemas.ts'

const Alias = z
  .string()
  .regex(/^(?!\d+$)[a-zA-Z0-9-_]{1,128}$/, 'the name of an alias')
  .meta({ description: 'Name of an alias; absent: the function itself' })

const CorsConfig = z
  .strictObject({
    allowCredentials: z.boolean(),
    allowHeaders: z.array(z.string().max(1_024)).max(100),
    allowMethods: z.array(z.string().max(6)).max(7),
    allowOrigins: z.array(z.string().min(1).max(253)).max(100),
    exposeHeaders: z.array(z.string().max(1_024)).max(100),
    maxAge: z.number().int().min(0).max(86_400).meta({ description: 'Seconds' })
  })
  .partial()

const AuthType = z
  .enum(['NONE', 'AWS_IAM'])
  .meta({ description: 'NONE: anybody may call. AWS_IAM: a signature or a Bearer key is needed.' })
const InvokeMode = z.enum(['BUFFERED', 'RESPONSE_STREAM'])

export const UrlParams = z.object({ name: FunctionName })
export const UrlQuery = z.strictObject({ qualifier: Alias.optional() })
export const UrlBody = z.strictObject({
  authType: AuthType.default('AWS_IAM'),
  cors: CorsConfig.nullable().optional(),
  invokeMode: InvokeMode.default('BUFFERED')
})

export const UrlView = z
  .object({
    url: z.string().meta({ description: 'By host' }),
    pathUrl: z.string().meta({ description: 'By path, where the host is not resolved' }),
    id: z.string(),
    function: z.string(),
    qualifier: z.string().nullable(),
    authType: AuthType,
    cors: CorsConfig.nullable(),
    invokeMode: InvokeMode,
    createdAt: z.string().meta({ description: 'ISO 8601, UTC' }),
    lastModified: z.string().meta({ description: 'ISO 8601, UTC' })
  })
  .meta({ description: 'The URL of a function or of one of its aliases' })

export const DomainParams = z.object({
  host: z.string().min(1).max(255).meta({ description: 'Host name', example: 'api.example.com' })
})
export const DomainBody = z.strictObject({ function: FunctionName, qualifier: Alias.nullable().optional() })
export const DomainView = z
  .object({
    host: z.string(),
    function: z.string(),
    qualifier: z.string().nullable(),
    createdAt: z.string().meta({ description: 'ISO 8601, UTC' })
  })
  .meta({ description: 'Another host name of a function URL' })
export const DomainList = z.object({ items: z.array(DomainView), nextCursor: z.string().nullable() })
