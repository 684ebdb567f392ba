import { FUNCTION_NAME, LIMITS } from '@hearth/shared'
import { z } from 'zod'
import { HANDLER, ROLE_ARN, TAG, VARIABLE_NAME } from '../functions/function-settings.ts'
import { CURSOR_DESCRIPTION } from '../http/cursor.ts'
import { RETENTION_DAYS } from '../logs/group-operations.ts'

const { memoryMiB, timeoutS, ephemeralMiB, concurrency } = LIMITS

export const FunctionName = z
  .string()
  .regex(FUNCTION_NAME, 'a function name has 1 to 64 letters, digits, hyphens and underscores')
  .meta({ description: 'Function name', example: 'hello' })

export const Qualifier = z
  .string()
  .max(128)
  .regex(/^(\$LATEST|[a-zA-Z0-9-_]+)$/, "a version's number, $LATEST, or the name of an alias")
  .meta({ description: "A version's number, `$LATEST`, or an alias", example: '7' })

/** Each setting once, for the query of a deploy, the body of a change and the answers. */
const settings = {
  handler: z.string().max(LIMITS.handlerChars).regex(HANDLER, 'without blanks').meta({ example: 'index.handler' }),
  runtime: z.string().min(1).max(64).meta({ example: 'nodejs20.x', description: 'One of GET /v1/runtimes' }),
  description: z.string().max(LIMITS.descriptionChars),
  role: z.string().regex(ROLE_ARN, 'the ARN of a role, e.g. arn:aws:iam::000000000000:role/name'),
  memory: z.number().int().min(memoryMiB.min).max(memoryMiB.max).meta({ description: 'MiB' }),
  timeout: z.number().int().min(timeoutS.min).max(timeoutS.max).meta({ description: 'Seconds' }),
  ephemeral: z.number().int().min(ephemeralMiB.min).max(ephemeralMiB.max).meta({ description: 'Size of /tmp in MiB' }),
  concurrency: z
    .number()
    .int()
    .min(concurrency.min)
    .max(concurrency.max)
    .meta({ description: 'Events at once in one instance' }),
  logFormat: z.enum(['Text', 'JSON']),
  logLevel: z
    .enum(['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'])
    .meta({ description: "Of the function's own lines: those below are dropped. JSON only" }),
  systemLogLevel: z.enum(['DEBUG', 'INFO', 'WARN']).meta({ description: "Of the platform's lines. JSON only" }),
  logGroup: z
    .string()
    .regex(/^[.\-_/#A-Za-z0-9]{1,512}$/, 'letters, digits and . - _ / #')
    .meta({ description: 'Default: /aws/lambda/ and the name' }),
  logRetentionDays: z
    .literal([...RETENTION_DAYS])
    .meta({ description: "How long the log group's events are kept, also those of other functions that write to it" }),
  tracing: z.enum(['PassThrough', 'Active']),
  snapStart: z.enum(['None', 'PublishedVersions']),
  deadLetterTarget: z
    .string()
    .max(350)
    .meta({ description: 'Where events go that could not be run: the ARN of a function that the role may invoke' }),
  network: z.enum(['none', 'internet']),
  instances: z.enum(['process', 'threads']),
  invokeMode: z
    .enum(['BUFFERED', 'RESPONSE_STREAM'])
    .meta({ description: "RESPONSE_STREAM: the function's URL sends the answer as it comes" })
}

const TagValue = z.string().max(256).regex(TAG, 'letters, digits, blanks and _.:/=+-@')

const number = (schema: z.ZodNumber) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'a whole number')
    .transform(Number)
    .pipe(schema)

/** `env.NAME=value` may be there any number of times beside these. */
export const DeployQuery = z
  .object({
    handler: settings.handler,
    runtime: settings.runtime,
    description: settings.description,
    role: settings.role,
    memory: number(settings.memory),
    timeout: number(settings.timeout),
    ephemeral: number(settings.ephemeral),
    concurrency: number(settings.concurrency),
    network: settings.network,
    instances: settings.instances,
    invokeMode: settings.invokeMode,
    build: z.enum(['true', 'false', 'fresh']).meta({
      description:
        'true: a build or a refusal; false: the package as it is; fresh: dependencies are installed again. Without it, a package is built when it needs to be and builds are allowed'
    }),
    tracing: settings.tracing,
    logFormat: settings.logFormat,
    logLevel: settings.logLevel,
    systemLogLevel: settings.systemLogLevel,
    logGroup: settings.logGroup,
    logRetentionDays: z
      .union([z.literal(''), number(z.number()).pipe(settings.logRetentionDays)])
      .meta({ description: "How many days the log group's events are kept; empty: for ever" }),
    snapStart: settings.snapStart,
    deadLetterTarget: settings.deadLetterTarget.meta({
      description:
        'Where events go that could not be run: the ARN of a function that the role may invoke; empty for none'
    }),
    publish: z.enum(['true', 'false']).meta({ description: 'Publish what is deployed as a version, in the same step' }),
    layers: z.string().max(4_096).meta({
      description: 'Up to 5 layers, comma separated: `name:version`, `name` for its newest, or ARNs; empty for none',
      example: 'libs:3,tools'
    }),
    dryRun: z.enum(['true', 'false']).meta({ description: 'Check everything, change nothing' })
  })
  .partial()
  .catchall(z.string())
export type DeployQuery = z.infer<typeof DeployQuery>

export const PatchBody = z.strictObject({
  handler: settings.handler.optional(),
  runtime: settings.runtime.optional(),
  description: settings.description.optional(),
  role: settings.role.optional(),
  memory: settings.memory.optional(),
  timeout: settings.timeout.optional(),
  ephemeral: settings.ephemeral.optional(),
  concurrency: settings.concurrency.optional(),
  tracing: settings.tracing.optional(),
  logFormat: settings.logFormat.optional(),
  logLevel: settings.logLevel.optional(),
  systemLogLevel: settings.systemLogLevel.optional(),
  logGroup: settings.logGroup.optional(),
  logRetentionDays: settings.logRetentionDays.nullable().optional().meta({ description: 'null: for ever' }),
  snapStart: settings.snapStart.optional(),
  tags: z
    .record(z.string().min(1).max(128).regex(TAG, 'letters, digits, blanks and _.:/=+-@'), TagValue.nullable())
    .nullable()
    .optional()
    .meta({ description: 'Tags to set; null as a value removes that one, null for the whole removes all' }),
  deadLetterTarget: settings.deadLetterTarget.min(1).nullable().optional().meta({ description: 'null for none' }),
  network: settings.network.nullable().optional().meta({ description: "null: the server's default" }),
  instances: settings.instances.nullable().optional().meta({ description: "null: the server's default" }),
  invokeMode: settings.invokeMode.optional(),
  layers: z
    .array(z.string().min(1).max(2_048))
    .optional()
    .meta({ description: '`name:version`, `name` for its newest, or ARNs; an empty list for none' }),
  env: z
    .record(
      z
        .string()
        .regex(VARIABLE_NAME, 'a name of at least two letters, digits and underscores that begins with a letter'),
      z.string().nullable()
    )
    .nullable()
    .optional()
    .meta({ description: 'Variables to set; null as a value removes that one, null for the whole removes all' })
})
export type PatchBody = z.infer<typeof PatchBody>

export const FunctionView = z
  .object({
    name: z.string(),
    arn: z.string(),
    url: z.string().meta({ description: 'Calls the function' }),
    version: z.string(),
    revisionId: z.string(),
    codeSha256: z.string().meta({ description: 'Base64' }),
    codeSize: z.int().min(0).meta({ description: 'Bytes' }),
    runtime: z.string(),
    handler: z.string(),
    role: z.string(),
    description: z.string(),
    memoryMiB: z.int().min(1),
    timeoutS: z.int().min(1),
    ephemeralMiB: z.int().min(1),
    env: z.record(z.string(), z.string()),
    network: z.enum(['none', 'internet']).nullable().meta({ description: "null: the server's default" }),
    concurrency: z.int().min(1),
    reservedConcurrency: z
      .int()
      .min(0)
      .nullable()
      .meta({ description: 'Events in flight at once of all versions; null: nothing is reserved' }),
    instances: z.enum(['process', 'threads']).nullable().meta({ description: "null: the server's default" }),
    invokeMode: settings.invokeMode,
    layers: z
      .array(z.object({ arn: z.string(), codeSize: z.int().min(0) }))
      .meta({ description: 'Shown at /opt; later ones overwrite' }),
    architecture: z.enum(['x86_64', 'arm64']),
    tracing: settings.tracing,
    logFormat: settings.logFormat,
    logLevel: settings.logLevel.nullable().meta({ description: 'null: Text has none' }),
    systemLogLevel: settings.systemLogLevel.nullable().meta({ description: 'null: Text has none' }),
    logGroup: z.string(),
    logRetentionDays: z
      .int()
      .nullable()
      .meta({ description: "How long the log group's events are kept; null: for ever" }),
    snapStart: settings.snapStart,
    deadLetterTarget: settings.deadLetterTarget.nullable(),
    tags: z.record(z.string(), z.string()),
    state: z.enum(['Pending', 'Active', 'Failed']),
    createdAt: z.string().meta({ description: 'ISO 8601, UTC' }),
    lastModified: z.string().meta({ description: 'ISO 8601, UTC' })
  })
  .meta({ description: 'A function' })
export type FunctionView = z.infer<typeof FunctionView>

const BuildView = z
  .object({
    log: z.string().meta({ description: 'Its end, at most 64 KiB' }),
    durationMs: z.int().min(0),
    cached: z.boolean().optional().meta({ description: 'Whether the dependencies are those of an earlier build' })
  })
  .meta({ description: 'How the package was built' })

export const DeployedView = FunctionView.extend({
  build: BuildView.optional(),
  publishedVersion: z
    .string()
    .nullable()
    .meta({ description: 'With publish=true: the version that is the same as what was deployed' }),
  notices: z.array(z.string()).meta({ description: 'What the deployer ought to know' }),
  hint: z.string().meta({ description: 'A command that calls the function' })
})

export type DeployedView = z.infer<typeof DeployedView>
export const ChangedView = FunctionView.extend({
  notices: z.array(z.string()).meta({ description: 'What the owner ought to know' })
})

export const ListQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,4}$/, 'a whole number')
    .transform(Number)
    .pipe(z.number().int().min(1).max(1_000))
    .optional(),
  cursor: z.string().max(2_048).optional().meta({ description: CURSOR_DESCRIPTION })
})

export const FunctionList = z.object({ items: z.array(FunctionView), nextCursor: z.string().nullable() })
