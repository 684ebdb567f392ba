import { readFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Executor } from '@hearth/executor'
import { createTar, hideSecrets, hideSecretsInLog, type Readiness, withoutSecrets } from '@hearth/shared'
import { dataLayout, type EventQueue, readDataSizes } from '@hearth/store'
import type { Metrics } from '../metrics.ts'
import { respond } from '../respond.ts'
import type { ServerRoute } from '../server-routes.ts'

/** What only the program around the gateway knows. */
export interface DiagnosticsFacts {
  readonly version: string
  /** As `redactConfig` shows it. */
  readonly config: Readonly<Record<string, unknown>>
  /** What this machine enforces: what `npm run doctor` prints. */
  readonly isolation: readonly object[]
  /** What must not be in the bundle, wherever it came from. */
  readonly secrets: readonly string[]
  /** The last lines of this program's own log. */
  readonly log: () => readonly string[]
}

export interface DiagnosticsOptions {
  readonly facts: DiagnosticsFacts
  readonly dataDir: string
  readonly readiness: Readiness
  readonly metrics: Metrics
  readonly executor: Executor
  readonly queue: Pick<EventQueue, 'backlog' | 'pendingDeliveries' | 'schema'>
  /** The control plane's part, JSON; undefined while there is no database. @throws Error */
  readonly controlPlane: () => Promise<string>
  /** What this process proves itself with; undefined while there is no database. */
  readonly proof: () => string | undefined
}

interface Part {
  readonly name: string
  readonly read: () => unknown
  /** Lines of a log: they are looked through more closely. */
  readonly isLog?: boolean
}

/** Functions with waiting events that are counted. */
const BACKLOG = 10_000
const compress = promisify(gzip)

/**
 * `GET /v1/diagnostics`: a .tar.gz for bug reports. Each file is made by itself: what fails is told in its place. No
 * environment, code, function's log, payload or key is read for it; what is known to be secret is searched for all the same.
 */
export function diagnosticsRoute(options: DiagnosticsOptions): ServerRoute {
  return async (_req, res) => {
    const at = Date.now()
    const secrets = [...options.facts.secrets, options.proof() ?? '', await tokenOf(options.dataDir)]
    const files: { name: string; body: Buffer }[] = []
    for (const { name, read, isLog = false } of partsOf(options)) {
      let content: unknown
      try {
        content = await read()
      } catch (err) {
        content = { unavailable: (err as { code?: string }).code ?? (err as Error).name }
      }
      const text =
        isLog && Array.isArray(content)
          ? hideSecretsInLog(content as string[], secrets)
          : hideSecrets(
              typeof content === 'string' ? content : JSON.stringify(withoutSecrets(content), undefined, 2),
              secrets
            )
      files.push({ name: `hearth-diagnostics/${name}`, body: Buffer.from(`${text}\n`) })
    }
    const stamp = new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')
    respond(
      res,
      200,
      [
        'content-type',
        'application/gzip',
        'content-disposition',
        `attachment; filename="hearth-diagnostics-${stamp}.tar.gz"`,
        'cache-control',
        'no-store'
      ],
      await compress(createTar(files, at))
    )
  }
}

function partsOf({ facts, dataDir, readiness, metrics, executor, queue, controlPlane }: DiagnosticsOptions): Part[] {
  let plane: Promise<Record<string, unknown>> | undefined
  const ofPlane = async (member: string): Promise<unknown> => {
    plane ??= controlPlane().then((text) => JSON.parse(text) as Record<string, unknown>)
    return (await plane)[member]
  }
  return [
    { name: 'versions.json', read: () => ({ hearth: facts.version, ...machine() }) },
    { name: 'configuration.json', read: () => facts.config },
    { name: 'isolation.json', read: () => facts.isolation },
    {
      name: 'health.json',
      read: async () => ({ gateway: readiness.report(), controlPlane: await orReason(ofPlane('health')) })
    },
    {
      name: 'runtimes.json',
      read: () => executor.runtimes().map(({ runtime, name, exact, remedy }) => ({ runtime, name, exact, remedy }))
    },
    {
      name: 'counts.json',
      read: async () => ({ ...(await countsOf(executor, queue)), controlPlane: await orReason(ofPlane('counts')) })
    },
    {
      name: 'schema.json',
      read: async () => ({ 'queue.db': await orReason(queue.schema()), ...((await ofPlane('schema')) as object) })
    },
    { name: 'data-folder.json', read: () => readDataSizes(dataDir) },
    { name: 'metrics-gateway.txt', read: () => textOf(metrics.render()) },
    { name: 'metrics-control-plane.txt', read: () => ofPlane('metrics') },
    { name: 'log-gateway.ndjson', read: facts.log, isLog: true },
    { name: 'log-control-plane.ndjson', read: () => ofPlane('log'), isLog: true }
  ]
}

function machine() {
  return {
    node: process.version,
    modules: { sqlite: process.versions['sqlite'], v8: process.versions.v8, openssl: process.versions.openssl },
    platform: `${os.platform()} ${os.release()}`,
    architecture: process.arch,
    cpus: os.availableParallelism(),
    memoryMiB: Math.round(os.totalmem() / 1_048_576),
    freeMemoryMiB: Math.round(os.freemem() / 1_048_576),
    uptimeS: Math.round(process.uptime()),
    isRoot: process.getuid?.() === 0
  }
}

async function countsOf(executor: Executor, queue: DiagnosticsOptions['queue']) {
  const { starting, idle, busy, prestarted, queued, runtimes, concurrency } = executor.stats()
  const backlog = await queue.backlog(BACKLOG)
  return {
    instances: { starting, idle, busy, prestarted, waiting: queued, runtimes },
    concurrency: { limit: concurrency.limit, inUse: concurrency.inUse, throttles: concurrency.throttles },
    queue: {
      functions: backlog.functions.length,
      events: backlog.waiting,
      deliveries: (await queue.pendingDeliveries()).count
    }
  }
}

function orReason(part: Promise<unknown>): Promise<unknown> {
  return part.catch((err: unknown) => ({ unavailable: (err as { code?: string }).code ?? (err as Error).name }))
}

async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece
  return text
}

/** The administrator's, read to be searched for. */
async function tokenOf(dataDir: string): Promise<string> {
  return readFile(path.resolve(dataLayout(dataDir).token), 'utf8').then(
    (text) => text.trim(),
    () => ''
  )
}
