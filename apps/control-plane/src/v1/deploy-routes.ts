import type { Builder, BuildResult } from '@hearth/builder'
import type { Language, PackageView } from '@hearth/executor/runtimes'
import { type ArnScope, FUNCTION_NAME, type FunctionRecord, functionArn, HearthError, LIMITS } from '@hearth/shared'
import type { FastifyReply } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { deployWishes } from '../access/deploy-wishes.ts'
import type { FunctionService } from '../functions/function-service.ts'
import type { SettingsChange } from '../functions/function-settings.ts'
import { inspectFor, requireSame } from '../functions/inspect-stored.ts'
import { mergeLogging } from '../functions/logging-settings.ts'
import type { Runtimes } from '../functions/runtimes.ts'
import { AnswerAgain } from '../http/idempotency.ts'
import { originOf } from '../http/origin.ts'
import { bytesOf } from '../http/raw-bodies.ts'
import { type Attached, compatibilityNotices, type LayerAttachments } from '../layers/layer-attachments.ts'
import type { LogGroups } from '../logs/log-groups.ts'
import type { Metrics } from '../metrics.ts'
import { type LanguageSource, packLanguageSource, sourceExtensions } from '../packages/language-source.ts'
import { buildPackage, type PackageBuild } from '../packages/package-builds.ts'
import { type PackageKind, sniffPackage } from '../packages/package-kind.ts'
import type { PackageStore, UnpackedPackage } from '../packages/package-store.ts'
import { checkExport, packSource, type SourceExtension, type SourcePackage } from '../packages/source-package.ts'
import { DeployedView, DeployQuery } from './function-schemas.ts'
import { etagOf, toFunctionView } from './function-view.ts'
import { askForRetention, keepFor, retentionOf } from './log-retention.ts'
import { preconditionOf } from './preconditions.ts'
import { mergeVariables, readDeployQuery } from './settings.ts'

export interface DeployRoutesOptions {
  readonly service: FunctionService
  readonly packages: PackageStore
  /** Undefined: builds are off. */
  readonly builder: Builder | undefined
  readonly attachments: LayerAttachments
  readonly runtimes: Runtimes
  readonly scope: ArnScope
  readonly groups: LogGroups
  readonly metrics: Metrics
}

/** What `curl -T` appends to a URL that ends in a slash. Longest first: `.tar.gz` before `.gz` could match. */
const FILE_EXTENSIONS = ['.tar.gz', '.tgz', '.zip', '.jar', '.mjs', '.cjs', '.js', '.ts']

/** Deploying with one request: the code is the body, the settings are the query. */
export const deployRoutes: FastifyPluginAsyncZod<DeployRoutesOptions> = async (
  app,
  { service, packages, builder, attachments, runtimes, scope, groups, metrics }
) => {
  const extensions = [...FILE_EXTENSIONS, ...sourceExtensions(runtimes.languages)]

  const daysOf = retentionOf(groups)

  app.put(
    '/:name',
    {
      bodyLimit: LIMITS.zipBytes,
      config: { payloads: 'any' },
      schema: {
        operationId: 'putFunction',
        summary: 'Create or replace a function',
        description:
          'The body is one source file (.mjs, .cjs, .js, .ts, .py, .rb, or a script that begins with #!), a zip, a jar or a gzipped tar; its first bytes tell which. The runtime of a new function is told from the code when it is not named. `{name}` may be a file name, which is what `curl -T hello.mjs …/v1/functions/` sends. Settings that an existing function has stay unless they are named. Environment variables: `env.NAME=value`, any number of times.',
        tags: ['functions'],
        consumes: ['application/octet-stream'],
        params: z.object({
          name: z.string().min(1).max(160).meta({ description: 'Function name, or a file name', example: 'hello.mjs' })
        }),
        querystring: DeployQuery,
        body: z.any().meta({ type: 'string', format: 'binary', description: 'Source file, zip or gzipped tar' }),
        response: { 200: DeployedView.describe('Replaced'), 201: DeployedView.describe('Created') }
      }
    },
    async (request, reply) => {
      let attached: Attached | undefined
      try {
        const { name, extension } = readTarget(request.params.name, extensions)
        const wish = readDeployQuery(request.query)
        const bytes = bytesOf(request)
        const kind = sniffPackage(bytes)
        const precondition = preconditionOf(request.headers)

        const { logging: defaults } = service.defaults(name)
        // Refused before the code is taken in, and asked again under the write lock below.
        const before = service.find(name)
        const arns = wish.layers?.map((layer) => attachments.toArn(layer))
        const wishes = deployWishes({
          functionArn: functionArn(scope, name),
          exists: before !== undefined,
          publishes: wish.publish,
          role: wish.settings.role,
          layers: arns ?? []
        })
        for (const needed of wishes) request.requireAccess(needed)
        const logGroup = wish.logging?.logGroup ?? before?.logging.logGroup ?? defaults.logGroup
        await askForRetention(request, groups, logGroup, wish.retentionDays)
        precondition(before)
        const notices = [...checkEarly(service, name, before, changeOf(wish, defaults, undefined, undefined)(before))]

        const wanted = wish.settings.runtime ?? before?.runtime
        const source =
          kind === 'source'
            ? await packAny(bytes, extension, wanted === undefined ? undefined : runtimes.languageOf(wanted), runtimes)
            : undefined
        attached = arns && (await attachments.attach(arns, request.principal?.arn ?? ''))
        let change = changeOf(
          wish,
          defaults,
          source,
          source?.language && runtimeFor(runtimes, source.language, before, wish)
        )
        if (attached !== undefined) change = withLayers(change, attached)
        else if (before !== undefined) change = keepingLayers(change, before)
        if (source !== undefined && source.language === undefined) {
          checkExport(source, { ...before, ...change(before) }.handler ?? source.handler)
        }
        let built: PackageBuild | undefined
        const inspect = async (view: PackageView, unzippedSize: number) => {
          if (source === undefined && before === undefined) {
            const guess = guessOf(runtimes, view, wish.settings)
            const { runtime = guess.runtime, handler = guess.handler } = built ?? {}
            change = withDefaults(change, {
              ...(runtime === undefined ? {} : { runtime }),
              ...(handler === undefined ? {} : { handler })
            })
          }
          const settings = { ...(before ?? service.defaults(name)), ...change(before) }
          service.check(settings, change(before))
          notices.push(...(await inspectFor({ runtimes, attachments }, settings)(view, unzippedSize)))
        }
        const build = async (unpacked: UnpackedPackage): Promise<Buffer | undefined> => {
          const buildWish = {
            functionName: name,
            demand: wish.build,
            runtime: wanted,
            handler: wish.settings.handler ?? before?.handler,
            signal: whenGone(reply)
          }
          built = await buildPackage(builder, runtimes, unpacked, buildWish, metrics.builds)
          notices.push(...built.notices)
          return built.result?.zip
        }
        const code = await packages.add(source?.zip ?? bytes, archiveKind(kind), {
          keep: !wish.dryRun,
          inspect,
          build: source === undefined ? build : undefined
        })
        try {
          const { record, created, published } = service.deploy(name, 'create-or-replace', code, change, {
            precondition,
            dryRun: wish.dryRun,
            publish: wish.publish,
            settle: 'at-once'
          })
          if (!wish.dryRun) await keepFor(groups, logGroup, wish.retentionDays)
          notices.push(...(source?.notices ?? []))
          notices.push(...compatibilityNotices(attached?.versions ?? [], record.runtime, record.architecture))
          if (wish.dryRun) notices.push('Dry run: nothing was changed.')
          else metrics.deployments.inc({ result: created ? 'created' : 'replaced' })
          request.log.info(
            { fn: name, revision: record.revisionId, bytes: record.codeSize, created },
            'function deployed'
          )
          const origin = originOf(request)
          void reply.code(created && !wish.dryRun ? 201 : 200).header('etag', etagOf(record))
          if (created && !wish.dryRun) void reply.header('location', `/v1/functions/${name}`)
          return {
            ...toFunctionView(record, scope, origin, daysOf),
            ...(built?.result === undefined ? {} : { build: buildView(built.result) }),
            publishedVersion: published?.version ?? null,
            notices,
            hint: `curl -H "Authorization: Bearer $HEARTH_TOKEN" ${origin}/fn/${name}/ -d '{}'`
          }
        } finally {
          code.release()
        }
      } catch (thrown) {
        if (thrown instanceof AnswerAgain) throw thrown
        metrics.deployments.inc({ result: thrown instanceof HearthError ? 'refused' : 'failed' })
        throw thrown
      } finally {
        attached?.release()
      }
    }
  )
}

/** What the deployer is told of a build. */
function buildView({ log, durationMs, cached }: BuildResult): NonNullable<DeployedView['build']> {
  return { log, durationMs, ...(cached === undefined ? {} : { cached }) }
}

/** Aborted when the connection ends before the answer is out. */
function whenGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new HearthError('REQUEST_TIMEOUT', 'The caller has gone.'))
  })
  return gone.signal
}

/** Function name and extension of the last path segment. `.` is in no function name, so a file name is told from one. */
function readTarget(
  segment: string,
  extensions: readonly string[]
): { readonly name: string; readonly extension: string | undefined } {
  const extension = extensions.find((candidate) => segment.endsWith(candidate))
  const name = extension === undefined ? segment : segment.slice(0, -extension.length)
  if (FUNCTION_NAME.test(name)) return { name, extension }
  const message = `"${name}" cannot be a function's name: 1 to 64 letters, digits, hyphens and underscores. Name it in the URL: …/v1/functions/my-function`
  throw new HearthError('INVALID_REQUEST', message, { errors: [{ path: 'params.name', message }] })
}

function checkEarly(
  service: FunctionService,
  name: string,
  before: FunctionRecord | undefined,
  change: SettingsChange
): readonly string[] {
  const settings = { ...(before ?? service.defaults(name)), ...change }
  service.checkRole(name, settings, change)
  return service.check(settings, { ...change, runtime: settings.runtime })
}

/** The change that a deploy makes to whatever is there when it is written. */
function changeOf(
  wish: Wish,
  defaultLogging: FunctionRecord['logging'],
  source: SourcePackage | undefined,
  runtime: string | undefined
) {
  return (current: FunctionRecord | undefined): SettingsChange => {
    const environment = mergeVariables(current?.environment, wish.variables)
    return {
      ...(runtime === undefined ? {} : { runtime }),
      ...wish.settings,
      ...(wish.logging === undefined
        ? {}
        : { logging: mergeLogging(current?.logging ?? defaultLogging, wish.logging) }),
      ...(environment === undefined ? {} : { environment }),
      ...(wish.settings.handler !== undefined || source === undefined ? {} : { handler: handlerFor(source, current) })
    }
  }
}

type Wish = ReturnType<typeof readDeployQuery>
type Change = ReturnType<typeof changeOf>

/** A single file: of a language with a rule of its own, or else JavaScript or TypeScript. */
async function packAny(
  bytes: Buffer,
  extension: string | undefined,
  wanted: Language | undefined,
  runtimes: Runtimes
): Promise<SourcePackage & { readonly language?: LanguageSource['language'] }> {
  const source = await packLanguageSource(bytes, extension, wanted, runtimes.languages)
  return source ?? (await packSource(bytes, asSource(extension)))
}

/** A function keeps its runtime as long as that is of the source's language. */
function runtimeFor(
  runtimes: Runtimes,
  language: Language,
  before: FunctionRecord | undefined,
  wish: Wish
): string | undefined {
  const current = wish.settings.runtime ?? before?.runtime
  return current !== undefined && runtimes.languageOf(current) === language
    ? undefined
    : runtimes.identifierFor(language)
}

/** What a new function's package tells of its runtime and handler, where its owner said nothing. */
function guessOf(runtimes: Runtimes, view: PackageView, settings: SettingsChange): SettingsChange {
  if (settings.runtime !== undefined) {
    const language = runtimes.languageOf(settings.runtime)
    return { handler: language?.guess(view) ?? language?.defaultHandler ?? 'index.handler' }
  }
  for (const language of runtimes.languages) {
    const handler = language.guess(view)
    if (handler !== undefined) return { runtime: runtimes.identifierFor(language), handler }
  }
  return {}
}

function withDefaults(change: Change, defaults: SettingsChange): Change {
  return (current) => ({ ...defaults, ...change(current) })
}

function withLayers(change: Change, { layers }: Attached): Change {
  return (current) => ({ ...change(current), layers })
}

/** The new code is looked at with the layers that the function has now: it must have them still when it is written. */
function keepingLayers(change: Change, before: FunctionRecord): Change {
  return (current) => {
    if (current !== undefined) requireSame(before, current, 'layers')
    return change(current)
  }
}

/** A handler that was chosen before stays as long as the new source has it. */
function handlerFor(source: SourcePackage, current: FunctionRecord | undefined): string {
  const kept = /^index\.([^.]+)$/.exec(current?.handler ?? '')
  if (current !== undefined && kept !== null && source.exports?.includes(kept[1] ?? '') === true) return current.handler
  return current !== undefined && kept !== null && source.exports === undefined && kept[1] !== 'default'
    ? current.handler
    : source.handler
}

function asSource(extension: string | undefined): SourceExtension | undefined {
  return extension === '.mjs' || extension === '.cjs' || extension === '.js' || extension === '.ts'
    ? extension
    : undefined
}

function archiveKind(kind: PackageKind): Exclude<PackageKind, 'source'> {
  return kind === 'source' ? 'zip' : kind
}
