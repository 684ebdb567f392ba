import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, statfs } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { createExecutor, openRuntimeRegistry } from '@hearth/executor'
import { defaultRunDir, openSandboxHost, type SandboxHost, SandboxUnavailableError, serverIdOf } from '@hearth/sandbox'
import {
  type Config,
  ConfigError,
  createLogTail,
  readConfig,
  redactConfig,
  SECRET_VARIABLES,
  secretsOf
} from '@hearth/shared'
import {
  AUDIT_FILES,
  createLogWriter,
  dataLayout,
  type EventQueue,
  makeDataDir,
  openAuditLog,
  openEventQueue,
  QueueUnavailableError,
  runMasterKeyCommand,
  SecretBoxError
} from '@hearth/store'
import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.ts'
import { openDirectoryWhenReady } from './attach.ts'
import { createLog } from './log.ts'
import { createMetrics } from './metrics.ts'
import { createFunctionPlatform } from './platform/function-platform.ts'
import { createTraceExport } from './tracing/export.ts'
import { connectionsFor } from './websockets/open-files.ts'

/** What sysexits calls EX_CONFIG: whoever supervises this process must not start it again as it is. */
const EXIT_CONFIG = 78
/** What stopping may take beyond the drain time: killing instances, writing logs. */
const STOP_EXTRA_MS = 3_000
/** Part of the machine's memory for pre-started sandboxes when nothing else is said. */
const PRESTARTED_SHARE = 0.1
/** Part of the free disk for functions' /tmp when nothing else is said, and what is too little to begin with. */
const TMP_SHARE = 0.25
const MIN_TMP_MIB = 1_024

const config = readConfigOrExit()
// Not for children.
for (const name of SECRET_VARIABLES) delete process.env[name]
const logTail = createLogTail(process.stdout)
const log = createLog(config.logLevel, logTail)
log.info({ config: redactConfig(config) }, 'gateway starts')

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
const logsDir = dataLayout(config.dataDir).logs
const metrics = createMetrics({
  version,
  functionSeries: config.functionSeries,
  now: () => performance.now()
})
const logs = createLogWriter({
  logsDir,
  groupBytes: config.logBytes,
  totalBytes: config.logTotalBytes,
  retentionDays: config.logRetentionDays,
  onDiskError: (err, group) => {
    log.error({ err, group }, 'function logs cannot be written')
  }
})
const onLog = (level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown> = {}): void => {
  log[level](fields, message)
}
const platform = createFunctionPlatform()
const host = await openHostOrExit()
const executor = createExecutor({
  platform,
  host,
  runtimes: await openRuntimeRegistry({
    node: { execPath: process.execPath, version: process.versions.node },
    configured: config.runtimePaths,
    cacheDir: config.cacheDir,
    path: process.env['PATH'] ?? ''
  }),
  logs,
  events: metrics.executorEvents,
  cpus: os.availableParallelism(),
  maxInstances: config.maxInstances,
  concurrency: config.concurrency,
  throttleWaitMs: config.throttleWaitMs,
  scalingBurst: config.scalingBurst,
  memoryReserveBytes: config.memoryReserveMiB * 1_048_576,
  prestarted: config.prestarted,
  prestartedBytes:
    config.prestartedMemoryMiB === undefined
      ? os.totalmem() * PRESTARTED_SHARE
      : config.prestartedMemoryMiB * 1_048_576,
  idleMs: config.idleMs,
  freezeAfterMs: config.freezeAfterMs ?? Number.POSITIVE_INFINITY,
  queueLength: config.queueLength,
  queueWaitMs: config.queueWaitMs,
  outputBytesPerSecond: config.outputBytesPerSecond,
  functionOutputBytesPerSecond: config.functionOutputBytesPerSecond,
  cpuQuota: config.cpu === 'quota',
  log: onLog
})
const audit = openAuditLog({
  dir: dataLayout(config.dataDir).audit,
  name: 'gateway',
  ...AUDIT_FILES,
  onError: (err) => {
    log.error({ err }, 'the audit log cannot be written')
  }
})
const queue = await openQueueOrExit((problem) => {
  if (problem !== undefined) log.error({ err: problem }, 'the thread of the queue was lost; it is started again')
  gateway.readiness.set('queue', problem === undefined ? { ok: true } : { ok: false, detail: 'it is opened again' })
})
const webSocketConnections = connectionsFor(config.webSocketConnections)
if (webSocketConnections < (config.webSocketConnections ?? 0)) {
  log.warn({ webSocketConnections }, 'fewer WebSocket connections than configured: the limit of open files is low')
}
const traceExport =
  config.tracing &&
  createTraceExport({
    config: config.tracing,
    scope: config,
    version,
    instanceId: randomUUID(),
    counts: metrics.spans,
    log
  })
const gateway = await buildApp({
  config: { ...config, webSocketConnections },
  logsDir,
  executor,
  platform,
  logs,
  metrics,
  log,
  audit,
  queue,
  tracing: traceExport && { ...config.tracing, ...traceExport },
  diagnostics: {
    version,
    config: redactConfig(config),
    isolation: host.features,
    secrets: secretsOf(config),
    log: () => logTail.lines()
  }
})

const stopping = new AbortController()
const grace = closeWithGrace({ delay: config.drainMs + STOP_EXTRA_MS, logger: log }, async ({ err, signal }) => {
  log[err === undefined ? 'info' : 'fatal']({ err, signal }, 'gateway stops')
  stopping.abort()
  await gateway.stop()
})

// Whoever supervised this process is gone: nobody would stop it or start it again.
process.once('disconnect', () => {
  void grace.close()
})

const port = await gateway.listen()
log.info({ host: config.host, port }, 'gateway listens')

const opened = await openDirectoryWhenReady(config, stopping.signal, (reason) => {
  log.warn({ reason }, 'waiting for the database')
})
if (opened !== undefined) {
  gateway.attach(opened.reader, opened.internalToken, opened.sessions)
  process.send?.({ ready: true, port })
}

function readConfigOrExit(): Config {
  try {
    const settings = readConfig(process.env, process.cwd())
    if (settings.controlPort === 0) {
      throw new ConfigError('HEARTH_CONTROL_PORT: 0 is for npm start; alone it must be the control plane’s')
    }
    const { masterKeyCommand } = settings
    if (masterKeyCommand === undefined) return settings
    return { ...settings, masterKey: runMasterKeyCommand(masterKeyCommand, process.env) }
  } catch (err) {
    if (!(err instanceof ConfigError) && !(err instanceof SecretBoxError)) throw err
    console.error(`hearth: ${err.message}`)
    process.exit(EXIT_CONFIG)
  }
}

async function openQueueOrExit(onProblem: (problem: Error | undefined) => void): Promise<EventQueue> {
  const { queue: file } = makeDataDir(config.dataDir)
  try {
    return await openEventQueue({
      file,
      migrationsDir: fileURLToPath(new URL('../../../migrations/queue', import.meta.url)),
      onProblem
    })
  } catch (err) {
    if (!(err instanceof QueueUnavailableError)) throw err
    console.error(`hearth: ${err.message}`)
    process.exit(1)
  }
}

async function openHostOrExit(): Promise<SandboxHost> {
  const serverId = serverIdOf(config.dataDir)
  const uid = process.getuid?.() ?? 0
  try {
    return await openSandboxHost({
      runDir: config.runDir ?? defaultRunDir(serverId, uid, process.env['XDG_RUNTIME_DIR']),
      isolation: config.isolation,
      serverId,
      // A function may ask for the internet whatever the default is.
      networks: ['none', 'internet'],
      tmpDisk: await tmpDisk(),
      dns: config.dns,
      log: onLog
    })
  } catch (err) {
    if (!(err instanceof SandboxUnavailableError)) throw err
    console.error(`hearth: ${err.message}`)
    process.exit(EXIT_CONFIG)
  }
}

async function tmpDisk(): Promise<{ file: string; mib: number } | undefined> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 })
  const { bavail, bsize } = await statfs(config.dataDir)
  const free = Math.floor((bavail * bsize * TMP_SHARE) / 1_048_576)
  const mib = config.tmpDiskMiB ?? (free < MIN_TMP_MIB ? 0 : free)
  return mib === 0 ? undefined : { file: path.join(config.dataDir, 'tmp.img'), mib }
}
