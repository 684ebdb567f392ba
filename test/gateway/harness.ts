import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import http, { type IncomingMessage } from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Executor, FunctionPool, FunctionSpec, Invocation, Outcome } from '@hearth/executor'
import { type AppDeps, buildApp, createMetrics, type Gateway, type Metrics } from '@hearth/gateway'
import { type AccessKey, createSessionTokens, type FunctionRecord, type SessionTokens } from '@hearth/shared'
import {
  type AliasesRepository,
  type ApisRepository,
  type ArchivesRepository,
  AUDIT_FILES,
  type ConcurrencyRepository,
  createAliasesRepository,
  createApisRepository,
  createArchivesRepository,
  createConcurrencyRepository,
  createEventInvokeRepository,
  createEventRulesRepository,
  createFunctionOptionsRepository,
  createFunctionPoliciesRepository,
  createFunctionsRepository,
  createFunctionUrlsRepository,
  createKeysRepository,
  createLoadBalancersRepository,
  createLogWriter,
  createOwnedPoliciesRepository,
  createReleasesRepository,
  createRolesRepository,
  createSchedulesRepository,
  createSecretBox,
  createUsersRepository,
  createWebhooksRepository,
  type EventInvokeRepository,
  type EventRulesRepository,
  type FunctionOptionsRepository,
  type FunctionPoliciesRepository,
  type FunctionsRepository,
  type FunctionUrlsRepository,
  type KeysRepository,
  type LoadBalancersRepository,
  type LogWriter,
  type OwnedPoliciesRepository,
  openAuditLog,
  openDirectory,
  openEventQueue,
  openStore,
  type ReleasesRepository,
  type RolesRepository,
  type SchedulesRepository,
  type UsersRepository,
  type WebhooksRepository
} from '@hearth/store'
import type { Test } from 'tap'

const ACCOUNT = '000000000000'
const REGION = 'us-east-1'
const TOKEN = 'token-of-the-administrator'
export const INTERNAL_TOKEN = 'token-of-the-gateway'
export const BEARER = `Bearer ${TOKEN}`
export const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'

export const ADMIN: AccessKey = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: SECRET,
  tokenHash: createHash('sha256').update(TOKEN).digest('hex'),
  principal: {
    arn: `arn:aws:iam::${ACCOUNT}:user/admin`,
    userId: 'AIDACKCEVSQ6C2EXAMPLE',
    accountId: ACCOUNT,
    keyId: 'AKIAIOSFODNN7EXAMPLE'
  },
  userName: 'admin',
  status: 'Active',
  expiresAt: undefined
}

export function record(name: string, changes: Partial<FunctionRecord> = {}): FunctionRecord {
  return {
    name,
    version: '$LATEST',
    runtime: 'nodejs20.x',
    handler: 'index.handler',
    role: `arn:aws:iam::${ACCOUNT}:role/hearth-default`,
    description: '',
    memoryMiB: 128,
    timeoutS: 3,
    ephemeralMiB: 512,
    environment: undefined,
    network: undefined,
    concurrency: 1,
    reservedConcurrency: undefined,
    instances: undefined,
    invokeMode: 'BUFFERED',
    architecture: 'x86_64',
    tags: {},
    tracing: 'PassThrough',
    logging: { format: 'Text', logGroup: `/aws/lambda/${name}` },
    snapStart: 'None',
    artifact: 'a'.repeat(64),
    codeSha256: 'qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=',
    codeSize: 1,
    revisionId: randomUUID(),
    state: 'Active',
    lastUpdateStatus: 'Successful',
    createdAt: '2026-01-02T03:04:05.000Z',
    lastModified: '2026-01-02T03:04:05.000Z',
    ...changes
  }
}

export function outcome(payload: string, changes: Partial<Outcome> = {}): Outcome {
  return {
    status: 'ok',
    payload: Buffer.from(payload),
    errorType: '',
    cold: false,
    phases: { queueMs: 0.01, sandboxMs: 0, initMs: 0, executeMs: 1.5 },
    billedMs: 2,
    maxMemoryMiB: 40,
    streamed: undefined,
    tail: undefined,
    ...changes
  }
}

/** Stands where instances are, for tests of what happens before and after them. */
export interface ExecutorDouble extends Executor {
  /** What a function does with an event; by default it echoes. Returning undefined leaves the event waiting. */
  behaviour: (invocation: Invocation, spec: FunctionSpec) => Outcome | undefined
  readonly opened: FunctionSpec[]
  readonly retired: FunctionSpec[]
  /** Events that were left waiting and may be settled or cancelled. */
  readonly waiting: Set<Invocation>
  readonly cancelled: Invocation[]
  closedWith: number | undefined
  /** Instances to be kept initialised, by `name:version`, as last told. */
  readonly provisions: Map<string, number>
  /** How far all of those are. */
  progress: { available: number; status: 'IN_PROGRESS' | 'READY' | 'FAILED'; statusReason: string | undefined }
  /** Reserved concurrency, as last told. */
  readonly reservations: Map<string, number | undefined>
}

export function executorDouble(): ExecutorDouble {
  const waiting = new Set<Invocation>()
  const double: ExecutorDouble = {
    behaviour: (invocation) => outcome(invocation.payload.length === 0 ? 'null' : invocation.payload.toString()),
    opened: [],
    retired: [],
    waiting,
    cancelled: [],
    closedWith: undefined,
    provisions: new Map(),
    progress: { available: 0, status: 'IN_PROGRESS', statusReason: undefined },
    reservations: new Map(),
    setReserved(name, reserved) {
      double.reservations.set(name, reserved)
    },
    openPool(spec): FunctionPool {
      double.opened.push(spec)
      return {
        spec,
        invoke(invocation) {
          const answer = double.behaviour(invocation, spec)
          if (answer === undefined) waiting.add(invocation)
          else invocation.settle(answer)
        },
        cancel(invocation) {
          if (!waiting.delete(invocation)) return false
          double.cancelled.push(invocation)
          return true
        },
        retire() {
          double.retired.push(spec)
        },
        provision(count) {
          double.provisions.set(`${spec.name}:${spec.version}`, count)
        },
        provisioned: () => {
          const requested = double.provisions.get(`${spec.name}:${spec.version}`) ?? 0
          const { available, status, statusReason } = double.progress
          return { requested, available, inUse: 0, spilled: 0, status, statusReason }
        }
      }
    },
    stats: () => ({
      starting: 1,
      idle: 2,
      busy: 3,
      prestarted: 4,
      queued: 5,
      reservedBytes: 384 * 1_048_576,
      runtimes: [
        { runtime: 'nodejs20.x', starting: 1, idle: 2, busy: 3, prestarted: 0 },
        { runtime: 'node20', starting: 0, idle: 0, busy: 0, prestarted: 4 }
      ],
      stock: {
        kinds: [{ runtime: 'node20', memoryMiB: 128, tmpMiB: 512, network: 'none', ready: 4, target: 6, inUse: true }],
        takes: [{ runtime: 'node20', hits: 7, misses: 2 }],
        usedBytes: 80 * 1_048_576,
        budgetBytes: 2_048 * 1_048_576
      },
      concurrency: {
        limit: 200,
        inUse: 8,
        unreserved: 190,
        reserved: [{ functionName: 'booked', reserved: 10, inUse: 3 }],
        provisioned: [
          {
            functionName: 'ready',
            version: '1',
            requested: 4,
            available: 2,
            inUse: 1,
            spilled: 6,
            status: 'IN_PROGRESS',
            statusReason: undefined
          }
        ],
        throttles: { function: 7, account: 9, queue: 0 }
      }
    }),
    runtimes: () => [],
    ready: async () => {},
    async close(drainMs) {
      double.closedWith = drainMs
      for (const invocation of waiting)
        invocation.settle(outcome('{"errorType":"Runtime.ExitError"}', { status: 'crash' }))
    }
  }
  return double
}

export interface Harness {
  readonly port: number
  readonly gateway: Gateway
  readonly executor: ExecutorDouble
  readonly functions: FunctionsRepository
  readonly aliases: AliasesRepository
  readonly eventConfigs: EventInvokeRepository
  readonly options: FunctionOptionsRepository
  readonly concurrency: ConcurrencyRepository
  readonly releases: ReleasesRepository
  readonly keys: KeysRepository
  readonly urls: FunctionUrlsRepository
  readonly policies: FunctionPoliciesRepository
  readonly users: UsersRepository
  readonly roles: RolesRepository
  /** Policies of users and roles. */
  readonly owned: OwnedPoliciesRepository
  readonly sessions: SessionTokens
  readonly rules: EventRulesRepository
  readonly archives: ArchivesRepository
  readonly schedules: SchedulesRepository
  readonly apis: ApisRepository
  readonly webhooks: WebhooksRepository
  readonly loadBalancers: LoadBalancersRepository
  readonly logs: LogWriter
  readonly dataDir: string
  /** Opens the gateway's own connection to the database, if it was not at the start. */
  attach(): void
}

export interface HarnessOptions
  extends Partial<Pick<AppDeps, 'timeouts' | 'logStreamTimes' | 'random' | 'clock' | 'eventsAtOnce' | 'guard'>> {
  /** Of what keeps functions' lines. */
  readonly logs?: Partial<Parameters<typeof createLogWriter>[0]>
  /** Default: none. */
  readonly limits?: { readonly requestRate: number; readonly authFailures: number }
  readonly controlPort?: number
  readonly drainMs?: number
  readonly webSocketConnections?: number
  readonly webhookNetworks?: readonly string[]
  /** Most pages of 4 KiB that the queue may have; 0: as many as it likes. */
  readonly queuePages?: number
  readonly attached?: boolean
  /** Default: nothing is traced. */
  readonly tracing?: (metrics: Metrics) => AppDeps['tracing']
  readonly functions?: readonly FunctionRecord[]
  readonly functionSeries?: number
}

/** A gateway on a free port, with a real database that another connection writes; closed when `t` ends. */
export async function startGateway(t: Test, options: HarnessOptions = {}): Promise<Harness> {
  // Not tap's own folder, which may go before the gateway, which writes there until it stops.
  const dataDir = mkdtempSync(path.join(tmpdir(), 'hearth-gateway-'))
  const file = path.join(dataDir, 'hearth.db')
  const box = createSecretBox(Buffer.alloc(32, 7))
  const db = openStore(file, path.resolve('migrations'))
  const functions = createFunctionsRepository(db, box)
  const urls = createFunctionUrlsRepository(db)
  const aliases = createAliasesRepository(db)
  const policies = createFunctionPoliciesRepository(db)
  const concurrency = createConcurrencyRepository(db)
  const releases = createReleasesRepository(db)
  const eventConfigs = createEventInvokeRepository(db, box)
  const functionOptions = createFunctionOptionsRepository(db)
  const keys = createKeysRepository(db, box)
  const users = createUsersRepository(db)
  users.create({
    name: 'admin',
    path: '/',
    userId: ADMIN.principal.userId,
    tags: {},
    boundary: undefined,
    createdAt: '2026-01-02T03:04:05.000Z'
  })
  const owned = createOwnedPoliciesRepository(db)
  owned.attach(ADMIN.principal.userId, 'arn:aws:iam::aws:policy/AdministratorAccess')
  keys.create(ADMIN)
  for (const one of options.functions ?? [record('hello')]) functions.create(one)
  const executor = executorDouble()
  const logsDir = path.join(dataDir, 'logs')
  const logs = createLogWriter({ logsDir, groupBytes: 1_048_576, flushMs: 5, ...options.logs })
  const quiet = (): undefined => undefined
  const metrics = createMetrics({
    version: '0.0.0-test',
    now: () => performance.now(),
    ...(options.functionSeries === undefined ? {} : { functionSeries: options.functionSeries })
  })
  const gateway = await buildApp({
    config: {
      host: '127.0.0.1',
      port: 0,
      urlDomain: 'lambda-url.localhost',
      controlPort: options.controlPort ?? 1,
      dataDir,
      region: REGION,
      accountId: ACCOUNT,
      network: 'none',
      instances: 'process',
      drainMs: options.drainMs ?? 2_000,
      eventKeepMs: 86_400_000,
      webhookNetworks: options.webhookNetworks ?? [],
      webSocketConnections: options.webSocketConnections,
      ...options.limits
    },
    logsDir,
    executor,
    queue: await openEventQueue({
      file: path.join(dataDir, 'queue.db'),
      migrationsDir: path.resolve('migrations/queue'),
      maxPages: options.queuePages ?? 0
    }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.eventsAtOnce === undefined ? {} : { eventsAtOnce: options.eventsAtOnce }),
    audit: openAuditLog({ dir: path.join(dataDir, 'audit'), name: 'gateway', ...AUDIT_FILES, onError: quiet }),
    logs,
    metrics,
    tracing: options.tracing?.(metrics),
    log: { info: quiet, warn: quiet, error: quiet, fatal: quiet },
    ...(options.guard === undefined ? {} : { guard: options.guard }),
    ...(options.random === undefined ? {} : { random: options.random }),
    logStreamTimes: options.logStreamTimes,
    ...(options.timeouts === undefined ? {} : { timeouts: options.timeouts })
  })
  const sessions = createSessionTokens(box, ACCOUNT)
  const attach = (): void => {
    gateway.attach(openDirectory(file, box), INTERNAL_TOKEN, sessions)
  }
  if (options.attached !== false) attach()
  const port = await gateway.listen()
  t.teardown(async () => {
    await gateway.stop()
    db.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  return {
    port,
    gateway,
    executor,
    functions,
    aliases,
    policies,
    users,
    roles: createRolesRepository(db),
    owned,
    sessions,
    concurrency,
    releases,
    eventConfigs,
    options: functionOptions,
    keys,
    urls,
    rules: createEventRulesRepository(db),
    archives: createArchivesRepository(db),
    schedules: createSchedulesRepository(db),
    apis: createApisRepository(db),
    webhooks: createWebhooksRepository(db, box),
    loadBalancers: createLoadBalancersRepository(db),
    logs,
    dataDir,
    attach
  }
}

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

export interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer
  /** False: sends no key. */
  readonly auth?: boolean
}

/** One request on a connection of its own. */
export async function ask(port: number, url: string, options: Ask = {}): Promise<Answer> {
  const body = options.body === undefined ? undefined : Buffer.from(options.body)
  const req = http.request({
    host: '127.0.0.1',
    port,
    path: url,
    agent: false,
    method: options.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(options.auth === false ? {} : { authorization: BEARER }),
      ...(body === undefined ? {} : { 'content-length': String(body.length) }),
      ...(options.headers as Record<string, string>)
    }
  })
  req.end(body)
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  return { status: res.statusCode ?? 0, headers: res.headers, body: await textOf(res) }
}

export async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Buffer))
  return Buffer.concat(chunks).toString()
}

/** A connection to write bytes on; `received` is all that came so far. */
export async function rawConnection(t: Test, port: number) {
  const socket = net.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const connection = { socket, received: '', closed: false }
  socket.on('data', (chunk) => {
    connection.received += chunk.toString('latin1')
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    connection.closed = true
  })
  t.teardown(() => socket.destroy())
  return connection
}

/** Waits until `condition` holds, for at most five seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
