import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import type yaml from 'yaml'
import { z } from 'zod'
import { ConfigError } from './config-error.ts'
import { type LogExportConfig, readLogExport, redactLogExport } from './log-export-config.ts'
import { RETENTION_DAYS } from './log-groups.ts'
import { readTracing, redactTracing, type TraceConfig } from './otlp-config.ts'
import { AWS_PRICES, type PriceTable, PriceTableError, parsePriceTable } from './pricing/price-table.ts'
import { isNetwork } from './special-addresses.ts'

const port = z.coerce.number().int().min(0).max(65_535)
const count = z.coerce.number().int().min(0)
const ms = z.coerce.number().int().min(0)

const HOST = String.raw`(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\]`
const HOSTS = new RegExp(String.raw`^((${HOST})(:\d{1,5})?(\s*,\s*(${HOST})(:\d{1,5})?)*)?$`)
/** Settings are printed, and a build's tools get the URL as an argument: no place for a password. */
const registry = z.url({ protocol: /^https?$/ }).refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.username === '' && url.password === ''
}, 'an http or https URL without user and password')

/**
 * Every setting, once, for both processes. The key is the environment variable's name; hearth.yaml takes the same
 * keys. Each has a default that works on a laptop.
 */
const Settings = z.strictObject({
  /** Address that the gateway listens on. */
  HEARTH_HOST: z.string().min(1).default('127.0.0.1'),
  HEARTH_PORT: port.default(8080),
  /** The control plane always listens on 127.0.0.1: the gateway is the one public endpoint. */
  HEARTH_CONTROL_PORT: port.default(8081),
  HEARTH_DATA_DIR: z.string().min(1).default('./data'),
  /** What can be made again. Default: `cache` in the data folder. */
  HEARTH_CACHE_DIR: z.string().min(1).optional(),
  /** Sockets and sandbox roots; a short path on a local file system. Default: under /run, or the user's runtime folder. */
  HEARTH_RUN_DIR: z.string().min(1).optional(),
  HEARTH_REGION: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a region such as us-east-1')
    .default('us-east-1'),
  HEARTH_ACCOUNT_ID: z
    .string()
    .regex(/^\d{12}$/, '12 digits')
    .default('000000000000'),
  /** Function URLs are `<id>.` before this name. */
  HEARTH_URL_DOMAIN: z
    .string()
    .regex(/^(?=.{1,200}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/, 'a lower-case host name')
    .default('lambda-url.localhost'),
  /** strict: refuse to start below full isolation. best-effort: start, and name at every start what is missing. */
  HEARTH_ISOLATION: z.enum(['strict', 'best-effort']).default('strict'),
  /** Network policy of functions that name none. */
  HEARTH_NETWORK: z.enum(['none', 'internet']).default('none'),
  /** Resolver that functions with network policy `internet` use, comma separated. */
  HEARTH_DNS: z.string().default('1.1.1.1,8.8.8.8'),
  /** Backend of functions that name none. */
  HEARTH_INSTANCES: z.enum(['process', 'threads']).default('process'),
  /** shares: an instance may use idle CPU, and gets its memory's share when others want it too. quota: never more than its memory's share, as on AWS. */
  HEARTH_CPU: z.enum(['shares', 'quota']).default('shares'),
  /** Interpreters beside those that are installed, as `language=path` pairs: `python=/opt/python3.13/bin/python3,java=/opt/jdk-21/bin/java`. `ruby=none`: only those named here, or none. */
  HEARTH_RUNTIME_PATHS: z
    .string()
    .regex(
      /^([a-z]+=(none|\/[^,=]+)(,[a-z]+=(none|\/[^,=]+))*)?$/,
      'pairs such as python=/opt/python3.13/bin/python3 or ruby=none, comma separated'
    )
    .default(''),
  /** Instances that may exist at once, over all functions. */
  HEARTH_MAX_INSTANCES: z.coerce.number().int().min(1).max(100_000).default(200),
  /** Events that may be in flight at once, over all functions: the account's concurrency. Default: 100 per core and one per 64 MiB of memory, whichever is less, at least 100 and at most HEARTH_MAX_INSTANCES. */
  HEARTH_CONCURRENCY: z.coerce.number().int().min(1).max(100_000).optional(),
  /** How long an event over a concurrency limit waits for its turn before it is refused with 429; 0: not at all, as on AWS. */
  HEARTH_THROTTLE_WAIT_MS: ms.max(300_000).default(0),
  /** Instances that one function may start in 10 s. */
  HEARTH_SCALING_BURST: z.coerce.number().int().min(1).max(100_000).default(1_000),
  /** MiB of the machine's memory that instances leave free: below it idle ones end, and none is started. 0 turns it off. Default: a twentieth, at most 1024. */
  HEARTH_MEMORY_RESERVE: count.optional(),
  /** Sandboxes kept booted and unassigned per runtime, memory size and network policy in use. 0 turns pre-starting off. */
  HEARTH_PRESTARTED: count.max(64).default(2),
  /** MiB that pre-started sandboxes may take together: after a burst more are kept than HEARTH_PRESTARTED. Default: a tenth of the machine's memory. */
  HEARTH_PRESTARTED_MEMORY: count.optional(),
  /** MiB of disk that the /tmp of all functions may take together; 0: /tmp is memory of its function. Default: a quarter of what is free. */
  HEARTH_TMP_DISK: count.optional(),
  /** How long an idle instance is kept. */
  HEARTH_IDLE_MS: ms.default(300_000),
  /** An instance without an event is frozen after this long: 0 at once, as on AWS; `never` lets it run on. */
  HEARTH_FREEZE_MS: z.union([z.literal('never'), ms]).default(100),
  /** Invocations that may wait for an instance, per function. */
  HEARTH_QUEUE_LENGTH: count.max(1_000_000).default(1_000),
  /** How long one may wait before it is refused with 429. */
  HEARTH_QUEUE_WAIT_MS: ms.default(10_000),
  /** Connections of WebSocket APIs at once: at most, and by default, as many as three quarters of the open files allowed. */
  HEARTH_WEBSOCKET_CONNECTIONS: count.max(1_000_000).optional(),
  /** How long a stopping server waits for what is in flight. */
  HEARTH_DRAIN_MS: ms.default(10_000),
  /** How long it is known what became of an event, after its end. */
  HEARTH_EVENT_KEEP_MS: ms.min(60_000).default(7 * 86_400_000),
  /** Networks that webhooks may reach beside public addresses, comma separated: `10.0.0.0/8,127.0.0.1`. */
  HEARTH_WEBHOOK_NETWORKS: z
    .string()
    .refine((text) => text === '' || text.split(',').every((part) => isNetwork(part.trim())), {
      error: 'networks such as 10.0.0.0/8, comma separated'
    })
    .default(''),
  /** Folder of key sets (`*.json` with `issuer` and `keys`) of token issuers that are not to be asked over the network. */
  HEARTH_JWKS_DIR: z.string().min(1).optional(),
  /** Requests that one key may send to control routes per second, after five times as many at once; 0: any number. */
  HEARTH_REQUEST_RATE: count.max(1_000_000).default(200),
  /** Wrong keys and signatures that one address may send per minute before it is told to wait; 0: any number. */
  HEARTH_AUTH_FAILURES: count.max(1_000_000).default(100),
  /** File with the prices that usage is priced by, JSON. Default: AWS's list prices of us-east-1. */
  HEARTH_PRICES: z.string().min(1).optional(),
  HEARTH_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Functions that have Prometheus series of their own, the most recently active; 0: none, -1: all. */
  HEARTH_METRICS_FUNCTION_SERIES: z.coerce.number().int().min(-1).max(1_000_000).default(1_000),
  /** Log bytes kept per log group on disk. */
  HEARTH_LOG_BYTES: z.coerce
    .number()
    .int()
    .min(65_536)
    .default(64 * 1_048_576),
  /** Log bytes kept of all log groups together; the oldest of the largest group go first. */
  HEARTH_LOG_TOTAL_BYTES: z.coerce
    .number()
    .int()
    .min(262_144)
    .default(4_096 * 1_048_576),
  /** Days that logs are kept of groups for which nothing else is said, in Lambda's steps; `never`: they do not expire. */
  HEARTH_LOG_RETENTION_DAYS: z
    .union([
      z.literal('never'),
      z.coerce.number().refine((days) => RETENTION_DAYS.includes(days), `never, or one of ${RETENTION_DAYS.join(', ')}`)
    ])
    .default('never'),
  /** Bytes per second that are read of an instance's output; it waits when it writes more. */
  HEARTH_OUTPUT_BYTES_PER_SECOND: z.coerce.number().int().min(1_024).default(1_048_576),
  /** The same of the log output of all instances of a function together. */
  HEARTH_FUNCTION_OUTPUT_BYTES_PER_SECOND: z.coerce.number().int().min(1_024).default(4_194_304),
  /** Part of the calls that are traced, 0 to 1, where their sender did not decide; with OTEL_EXPORTER_OTLP_ENDPOINT. */
  HEARTH_TRACE_SAMPLE: z.coerce.number().min(0).max(1).default(0.1),
  /** Calls that take as long are always traced, as are those that fail or start an instance. */
  HEARTH_TRACE_SLOW_MS: ms.default(1_000),
  /** Loki that function logs are sent to: `http://127.0.0.1:3100`. */
  HEARTH_LOKI_URL: z.string().optional(),
  /** Headers of these requests, `name=value`, comma separated, values percent-encoded: `X-Scope-OrgID=tenant`. */
  HEARTH_LOKI_HEADERS: z.string().optional(),
  /** Whether a deploy may install dependencies and translate TypeScript projects, in sandboxes. */
  HEARTH_BUILDS: z.enum(['off', 'on']).default('off'),
  /** Hosts that builds may reach, comma separated: `name`, `name:port`, `*.domain`. Default: the public registries. */
  HEARTH_BUILD_HOSTS: z.string().regex(HOSTS, 'hosts such as registry.npmjs.org, comma separated').optional(),
  /** Registry, index and gem source in place of the public ones. */
  HEARTH_BUILD_NPM_REGISTRY: registry.optional(),
  HEARTH_BUILD_PIP_INDEX: registry.optional(),
  HEARTH_BUILD_GEM_SOURCE: registry.optional(),
  /** How long one build may take. */
  HEARTH_BUILD_MS: z.coerce.number().int().min(1_000).max(3_600_000).default(300_000),
  /** MiB of memory, and of disk, that one build may use. */
  HEARTH_BUILD_MEMORY: z.coerce.number().int().min(256).max(65_536).default(2_048),
  HEARTH_BUILD_DISK: z.coerce.number().int().min(64).max(65_536).default(1_024),
  /** MiB of installed dependencies kept for the next deploy; 0 keeps none. */
  HEARTH_BUILD_CACHE: count.max(1_048_576).default(2_048),
  /** Builds at the same time. */
  HEARTH_BUILD_PARALLEL: z.coerce.number().int().min(1).max(16).default(1),
  /** Text of the master key (base64, 32 bytes) or, in …_FILE, the file that holds it. Default: data/master.key, made at first start. */
  HEARTH_MASTER_KEY: z.string().optional(),
  HEARTH_MASTER_KEY_FILE: z.string().optional(),
  /** Run at start by a shell; what it writes is the key. */
  HEARTH_MASTER_KEY_COMMAND: z.string().min(1).optional(),
  /** S3-compatible store that `Code.S3Bucket` means; with it go its keys. */
  HEARTH_S3_ENDPOINT: z.url({ protocol: /^https?$/, error: 'a URL such as http://127.0.0.1:9000' }).optional(),
  /** Region that its requests are signed for. Default: HEARTH_REGION. */
  HEARTH_S3_REGION: z.string().min(1).optional(),
  HEARTH_S3_ACCESS_KEY_ID: z.string().min(1).optional(),
  HEARTH_S3_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  HEARTH_S3_SECRET_ACCESS_KEY_FILE: z.string().min(1).optional(),
  /** Whether buckets are in the path (most stores) or in the host name. */
  HEARTH_S3_PATH_STYLE: z.stringbool().default(true)
})

/** How packages are built on deploy. */
export interface BuildConfig {
  /** Hosts that a build may reach: `name`, `name:port`, `*.domain`. Undefined: the public registries. */
  readonly hosts: readonly string[] | undefined
  readonly npmRegistry: string | undefined
  readonly pipIndex: string | undefined
  readonly gemSource: string | undefined
  /** How long one build may take. */
  readonly timeoutMs: number
  readonly memoryMiB: number
  readonly diskMiB: number
  /** Dependencies kept for the next deploy, over all functions; 0 keeps none. */
  readonly cacheMiB: number
  /** Builds at the same time. */
  readonly parallel: number
}

/** Variables that hold secrets: a server takes them out of its environment once it has read them. */
export const SECRET_VARIABLES = [
  'HEARTH_MASTER_KEY',
  'HEARTH_MASTER_KEY_COMMAND',
  'HEARTH_S3_SECRET_ACCESS_KEY',
  'HEARTH_LOKI_URL',
  'HEARTH_LOKI_HEADERS',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
  'OTEL_EXPORTER_OTLP_LOGS_HEADERS'
] as const

export interface Config {
  readonly host: string
  readonly port: number
  readonly controlPort: number
  /** Absolute. */
  readonly dataDir: string
  readonly cacheDir: string
  readonly runDir: string | undefined
  readonly region: string
  readonly accountId: string
  /** Function URLs are `<id>.` before this name. */
  readonly urlDomain: string
  readonly isolation: 'strict' | 'best-effort'
  readonly network: 'none' | 'internet'
  readonly dns: readonly string[]
  readonly instances: 'process' | 'threads'
  readonly cpu: 'shares' | 'quota'
  /** Absolute paths of interpreters, by language. */
  readonly runtimePaths: Readonly<Record<string, readonly string[]>>
  readonly maxInstances: number
  /** Events in flight at once, over all functions. */
  readonly concurrency: number
  readonly throttleWaitMs: number
  /** Instances that one function may start in 10 s. */
  readonly scalingBurst: number
  /** MiB; 0: not looked at. */
  readonly memoryReserveMiB: number
  readonly prestarted: number
  /** MiB, or undefined: a tenth of the machine's memory. */
  readonly prestartedMemoryMiB: number | undefined
  /** MiB, or undefined: a quarter of the free disk. */
  readonly tmpDiskMiB: number | undefined
  readonly idleMs: number
  /** Undefined: never. */
  readonly freezeAfterMs: number | undefined
  readonly queueLength: number
  readonly queueWaitMs: number
  /** Connections of WebSocket APIs at once. Undefined: as many as the limit of open files allows. */
  readonly webSocketConnections: number | undefined
  readonly drainMs: number
  /** How long records of events are kept after their end. */
  readonly eventKeepMs: number
  /** Networks that webhooks may reach beside public addresses. */
  readonly webhookNetworks: readonly string[]
  /** Folder of key sets of token issuers, absolute; undefined: all are fetched. */
  readonly keySetsDir: string | undefined
  /** Requests per second and key to control routes; 0: not limited. */
  readonly requestRate: number
  /** Failed authentications per minute and address; 0: not limited. */
  readonly authFailures: number
  /** What usage is priced by. */
  readonly prices: PriceTable
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Functions with series of their own; -1: all. */
  readonly functionSeries: number
  readonly logBytes: number
  /** Of all log groups. */
  readonly logTotalBytes: number
  /** Undefined: for ever. */
  readonly logRetentionDays: number | undefined
  readonly outputBytesPerSecond: number
  readonly functionOutputBytesPerSecond: number
  /** Where spans go; undefined: nothing is traced. */
  readonly tracing: TraceConfig | undefined
  /** Where function logs are sent to. */
  readonly logExport: LogExportConfig
  /** Undefined: there are no builds. */
  readonly builds: BuildConfig | undefined
  /** Base64, or undefined: then the control plane makes data/master.key. */
  readonly masterKey: string | undefined
  /** Answers the master key; whoever starts runs it. */
  readonly masterKeyCommand: string | undefined
  /** Undefined: code cannot come from S3. */
  readonly s3:
    | {
        readonly endpoint: string
        readonly region: string
        readonly accessKeyId: string
        readonly secretAccessKey: string
        readonly pathStyle: boolean
      }
    | undefined
}

/** What the README has callers put into their shell: a server that is started from there has no use for it. */
const CALLERS_KEY = 'HEARTH_TOKEN'

/**
 * Reads the settings: environment first, then hearth.yaml in `cwd`, then defaults.
 *
 * @throws ConfigError for an unknown HEARTH_ name or a value out of range
 */
export function readConfig(env: NodeJS.ProcessEnv, cwd: string, machine: Machine = thisMachine()): Config {
  const fromEnv = Object.fromEntries(
    Object.entries(env).filter(
      ([key, value]) => key.startsWith('HEARTH_') && key !== CALLERS_KEY && value !== undefined
    )
  )
  const parsed = Settings.safeParse({ ...readYaml(path.join(cwd, 'hearth.yaml')), ...fromEnv })
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(describe).join('\n'))
  const s = parsed.data
  return {
    host: s.HEARTH_HOST,
    port: s.HEARTH_PORT,
    controlPort: s.HEARTH_CONTROL_PORT,
    dataDir: path.resolve(cwd, s.HEARTH_DATA_DIR),
    cacheDir: path.resolve(cwd, s.HEARTH_CACHE_DIR ?? path.join(s.HEARTH_DATA_DIR, 'cache')),
    runDir: s.HEARTH_RUN_DIR === undefined ? undefined : path.resolve(cwd, s.HEARTH_RUN_DIR),
    region: s.HEARTH_REGION,
    accountId: s.HEARTH_ACCOUNT_ID,
    urlDomain: s.HEARTH_URL_DOMAIN,
    isolation: s.HEARTH_ISOLATION,
    network: s.HEARTH_NETWORK,
    dns: s.HEARTH_DNS.split(',').map((address) => address.trim()),
    instances: s.HEARTH_INSTANCES,
    cpu: s.HEARTH_CPU,
    runtimePaths: readPairs(s.HEARTH_RUNTIME_PATHS),
    maxInstances: s.HEARTH_MAX_INSTANCES,
    concurrency: s.HEARTH_CONCURRENCY ?? defaultConcurrency(machine, s.HEARTH_MAX_INSTANCES),
    throttleWaitMs: s.HEARTH_THROTTLE_WAIT_MS,
    scalingBurst: s.HEARTH_SCALING_BURST,
    memoryReserveMiB: s.HEARTH_MEMORY_RESERVE ?? Math.min(1_024, Math.floor(machine.memoryMiB / 20)),
    prestarted: s.HEARTH_PRESTARTED,
    prestartedMemoryMiB: s.HEARTH_PRESTARTED_MEMORY,
    tmpDiskMiB: s.HEARTH_TMP_DISK,
    idleMs: s.HEARTH_IDLE_MS,
    freezeAfterMs: s.HEARTH_FREEZE_MS === 'never' ? undefined : s.HEARTH_FREEZE_MS,
    queueLength: s.HEARTH_QUEUE_LENGTH,
    queueWaitMs: s.HEARTH_QUEUE_WAIT_MS,
    webSocketConnections: s.HEARTH_WEBSOCKET_CONNECTIONS,
    drainMs: s.HEARTH_DRAIN_MS,
    eventKeepMs: s.HEARTH_EVENT_KEEP_MS,
    webhookNetworks: s.HEARTH_WEBHOOK_NETWORKS.split(',')
      .map((network) => network.trim())
      .filter((network) => network !== ''),
    keySetsDir: s.HEARTH_JWKS_DIR === undefined ? undefined : path.resolve(cwd, s.HEARTH_JWKS_DIR),
    requestRate: s.HEARTH_REQUEST_RATE,
    authFailures: s.HEARTH_AUTH_FAILURES,
    prices: readPrices(s.HEARTH_PRICES, cwd),
    logLevel: s.HEARTH_LOG_LEVEL,
    functionSeries: s.HEARTH_METRICS_FUNCTION_SERIES,
    logBytes: s.HEARTH_LOG_BYTES,
    logTotalBytes: s.HEARTH_LOG_TOTAL_BYTES,
    logRetentionDays: s.HEARTH_LOG_RETENTION_DAYS === 'never' ? undefined : s.HEARTH_LOG_RETENTION_DAYS,
    outputBytesPerSecond: s.HEARTH_OUTPUT_BYTES_PER_SECOND,
    functionOutputBytesPerSecond: s.HEARTH_FUNCTION_OUTPUT_BYTES_PER_SECOND,
    tracing: readTracing(env, s.HEARTH_TRACE_SAMPLE, s.HEARTH_TRACE_SLOW_MS),
    logExport: readLogExport(env, s.HEARTH_LOKI_URL, s.HEARTH_LOKI_HEADERS),
    builds: s.HEARTH_BUILDS === 'off' ? undefined : readBuilds(s),
    masterKey: readMasterKeySetting(s, cwd),
    masterKeyCommand: s.HEARTH_MASTER_KEY_COMMAND,
    s3: readS3(s, cwd)
  }
}

/** What defaults are taken from. */
export interface Machine {
  readonly cpus: number
  /** Or of the container, where that has less. */
  readonly memoryMiB: number
}

function thisMachine(): Machine {
  // Huge, or 0, when there is no limit.
  const limit = process.constrainedMemory()
  const bytes = limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem()
  return { cpus: os.availableParallelism(), memoryMiB: Math.floor(bytes / 1_048_576) }
}

/** Lambda keeps 100 for functions without a reservation: less could not be divided. */
function defaultConcurrency({ cpus, memoryMiB }: Machine, maxInstances: number): number {
  return Math.min(maxInstances, Math.max(100, Math.min(100 * cpus, Math.floor(memoryMiB / 64))))
}

function readBuilds(s: z.infer<typeof Settings>): BuildConfig {
  return {
    hosts: s.HEARTH_BUILD_HOSTS?.split(',')
      .map((host) => host.trim())
      .filter((host) => host !== ''),
    npmRegistry: s.HEARTH_BUILD_NPM_REGISTRY,
    pipIndex: s.HEARTH_BUILD_PIP_INDEX,
    gemSource: s.HEARTH_BUILD_GEM_SOURCE,
    timeoutMs: s.HEARTH_BUILD_MS,
    memoryMiB: s.HEARTH_BUILD_MEMORY,
    diskMiB: s.HEARTH_BUILD_DISK,
    cacheMiB: s.HEARTH_BUILD_CACHE,
    parallel: s.HEARTH_BUILD_PARALLEL
  }
}

/** @throws ConfigError when there is more than one: which of them counts, nobody should have to guess */
function readMasterKeySetting(s: z.infer<typeof Settings>, cwd: string): string | undefined {
  const named = (['HEARTH_MASTER_KEY', 'HEARTH_MASTER_KEY_FILE', 'HEARTH_MASTER_KEY_COMMAND'] as const).filter(
    (name) => s[name] !== undefined
  )
  if (named.length > 1) throw new ConfigError(`${named.join(' and ')}: the master key comes from one place`)
  return s.HEARTH_MASTER_KEY ?? readSecretFile('HEARTH_MASTER_KEY_FILE', s.HEARTH_MASTER_KEY_FILE, cwd)
}

/** @throws ConfigError for an endpoint without its keys, and for keys without an endpoint */
function readS3(s: z.infer<typeof Settings>, cwd: string): Config['s3'] {
  const endpoint = s.HEARTH_S3_ENDPOINT
  const accessKeyId = s.HEARTH_S3_ACCESS_KEY_ID
  const secretAccessKey =
    s.HEARTH_S3_SECRET_ACCESS_KEY ??
    readSecretFile('HEARTH_S3_SECRET_ACCESS_KEY_FILE', s.HEARTH_S3_SECRET_ACCESS_KEY_FILE, cwd)
  if (endpoint === undefined && accessKeyId === undefined && secretAccessKey === undefined) return undefined
  if (endpoint === undefined || accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ConfigError(
      'HEARTH_S3_ENDPOINT, HEARTH_S3_ACCESS_KEY_ID and HEARTH_S3_SECRET_ACCESS_KEY (or …_FILE): all or none'
    )
  }
  const region = s.HEARTH_S3_REGION ?? s.HEARTH_REGION
  return { endpoint, region, accessKeyId, secretAccessKey, pathStyle: s.HEARTH_S3_PATH_STYLE }
}

/** `a=1,b=2,a=3` as `{ a: ['1', '3'], b: ['2'] }`. */
function readPairs(text: string): Record<string, string[]> {
  const pairs: Record<string, string[]> = {}
  for (const pair of text.split(',').filter((part) => part !== '')) {
    const [name = '', value = ''] = pair.split('=')
    pairs[name] = [...(pairs[name] ?? []), value]
  }
  return pairs
}

/** The settings as they may be printed: no secret in it. */
export function redactConfig(config: Config): Record<string, unknown> {
  return {
    ...config,
    prices: `${config.prices.region}, ${config.prices.effective}`,
    masterKey: config.masterKey === undefined && config.masterKeyCommand === undefined ? 'data/master.key' : '[set]',
    masterKeyCommand: config.masterKeyCommand === undefined ? undefined : '[set]',
    tracing: config.tracing && redactTracing(config.tracing),
    logExport: redactLogExport(config.logExport),
    s3: config.s3 === undefined ? undefined : { ...config.s3, secretAccessKey: '[set]' }
  }
}

function readYaml(file: string): Record<string, unknown> {
  if (!existsSync(file)) return {}
  // Loaded by who has such a file: it takes a tenth of a second.
  const { parse } = createRequire(import.meta.url)('yaml') as typeof yaml
  const content: unknown = parse(readFileSync(file, 'utf8'))
  if (content === null || content === undefined) return {}
  if (typeof content !== 'object' || Array.isArray(content))
    throw new ConfigError('hearth.yaml: a map of HEARTH_ names is expected')
  return content as Record<string, unknown>
}

/** @throws ConfigError that names each place in the file that is wrong */
function readPrices(file: string | undefined, cwd: string): PriceTable {
  if (file === undefined) return AWS_PRICES
  let text: string
  try {
    text = readFileSync(path.resolve(cwd, file), 'utf8')
  } catch (cause) {
    throw new ConfigError(`HEARTH_PRICES: cannot be read: ${(cause as Error).message}`)
  }
  try {
    return parsePriceTable(text)
  } catch (err) {
    if (!(err instanceof PriceTableError)) throw err
    throw new ConfigError(err.message.replace(/^/gm, 'HEARTH_PRICES: '))
  }
}

function readSecretFile(name: string, file: string | undefined, cwd: string): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(path.resolve(cwd, file), 'utf8').trim()
  } catch (cause) {
    throw new ConfigError(`${name}: cannot be read: ${(cause as Error).message}`)
  }
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys')
    return `unknown setting ${issue.keys.join(', ')}: see docs/configuration.md for the names`
  return `${issue.path.join('.')}: ${issue.message}`
}

/** Every secret in the settings, to be kept out of what is shown. */
export function secretsOf({ masterKey, masterKeyCommand, s3, tracing, logExport }: Config): readonly string[] {
  const receivers = [tracing, logExport.loki, logExport.otlp]
  const headers = receivers.flatMap((receiver) => Object.values(receiver?.headers ?? {}))
  return [masterKey, masterKeyCommand, s3?.secretAccessKey, ...headers].filter((secret) => secret !== undefined)
}
