import { createHash } from 'node:crypto'
import path from 'node:path'
import type { Isolation, SandboxHost, SandboxHostOptions } from '@hearth/sandbox'
import { defaultRunDir, SandboxUnavailableError, serverIdOf } from '@hearth/sandbox'
import { type BuildConfig, HearthError, LIMITS } from '@hearth/shared'
import { type AllowedHosts, allowedHosts, hostOfUrl } from './allowed-hosts.ts'
import { createBuildHost } from './build-host.ts'
import { createBuildQueue } from './build-queue.ts'
import { runInSandbox, type SandboxRun } from './build-sandbox.ts'
import { type CachedTree, createDependencyCache } from './dependency-cache.ts'
import type { InstallJob, Job } from './job.ts'
import { PATHS } from './job.ts'
import { createLogTail, type LogTail } from './log-tail.ts'
import type { BuildPlan, InstallPlan } from './plan.ts'
import { findEsbuild, findNpm } from './tools.ts'
import type { Interpreter, PackageFiles } from './types.ts'

/** Part of every cache key: changes whenever what a build makes of the same input does. */
const BUILDER_VERSION = '1'
const CA_FILE = '/etc/ssl/certs/ca-certificates.crt'

export interface BuilderOptions {
  readonly settings: BuildConfig
  readonly isolation: Isolation
  readonly dataDir: string
  readonly tmpDir: string
  readonly cacheDir: string
  readonly runDir: string
  readonly serverId: string
  /** Of the server: where npm is looked for. */
  readonly searchPath: string
  readonly log: SandboxHostOptions['log']
  /** Unpacks a zip that a build made, with every check, and brings it to the disk. @throws HearthError INVALID_ARCHIVE */
  readonly unpack: (zip: Buffer, folder: string) => Promise<void>
}

export interface BuildRequest {
  /** Whose dependencies these are: nothing that is installed for one function reaches another. */
  readonly functionName: string
  readonly code: PackageFiles
  readonly plan: BuildPlan
  readonly interpreter: Interpreter
  /** Installs again what is kept from an earlier deploy. */
  readonly fresh: boolean
}

export interface BuildResult {
  /** Untrusted as an upload is. */
  readonly zip: Buffer
  /** The end of the log, at most 64 KiB. */
  readonly log: string
  readonly durationMs: number
  /** Whether the dependencies are those of an earlier build; undefined when there are none. */
  readonly cached: boolean | undefined
}

export interface Builder {
  /**
   * @param signal - Ends it when nobody waits any more
   * @throws HearthError BUILD_FAILED, BUILD_UNAVAILABLE, SANDBOX_UNAVAILABLE, CAPACITY_EXHAUSTED
   */
  build(request: BuildRequest, signal: AbortSignal): Promise<BuildResult>
  /** Ends what runs and frees all that was made. */
  close(): Promise<void>
}

/** Makes packages runnable in sandboxes: installs their dependencies, translates their TypeScript. Opens nothing yet. */
export function createBuilder(options: BuilderOptions): Builder {
  const { settings, runDir } = options
  const registries: Record<InstallJob['tool'], string | undefined> = {
    npm: settings.npmRegistry,
    pip: settings.pipIndex,
    bundler: settings.gemSource
  }
  const chosen = Object.values(registries).filter((url) => url !== undefined)
  const hosts = allowedHosts(settings.hosts, chosen.map(hostOfUrl))
  const host = createBuildHost({ ...options, ...settings, runDir })
  const cache = createDependencyCache({
    dir: options.cacheDir,
    tmpDir: options.tmpDir,
    maxBytes: settings.cacheMiB * 1_048_576
  })
  const queue = createBuildQueue(settings.parallel)
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()

  const run = (
    sandboxes: SandboxHost,
    job: Job,
    mounts: SandboxRun['mounts'],
    common: { log: LogTail; signal: AbortSignal },
    way: AllowedHosts | undefined
  ): Promise<Buffer> => {
    const { memoryMiB, diskMiB } = settings
    const socketDir = path.join(runDir, 'proxies')
    return runInSandbox(sandboxes, { job, mounts, hosts: way, socketDir, memoryMiB, diskMiB, ...common })
  }

  async function dependencies(
    request: BuildRequest,
    install: InstallPlan,
    sandboxes: SandboxHost,
    common: { log: LogTail; signal: AbortSignal }
  ): Promise<{ readonly tree: CachedTree; readonly cached: boolean }> {
    const { code, interpreter } = request
    const npm = install.tool === 'npm' ? await findNpm(interpreter, options.searchPath) : undefined
    if (install.tool === 'npm' && npm === undefined) {
      throw new HearthError(
        'BUILD_UNAVAILABLE',
        'This server has no npm: install it beside the Node.js that runs Hearth.'
      )
    }
    const registry = registries[install.tool]
    const key = await keyOf(request, install, { registry, npm: npm?.version })
    const found = request.fresh ? undefined : await cache.take(key)
    if (found !== undefined) {
      common.log.add('hearth: the dependencies are those of an earlier build\n')
      return { tree: found, cached: true }
    }
    const job: InstallJob = {
      step: 'install',
      tool: install.tool,
      interpreter: interpreter.command,
      npm: npm?.command ?? '',
      inputs: install.inputs,
      registry,
      env: { PATH: '/var/lang/bin:/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', TZ: 'UTC', ...CERTIFICATES },
      limits: { bytes: LIMITS.unzippedBytes, entries: LIMITS.archiveEntries }
    }
    const sources =
      install.inputs === undefined
        ? [{ source: code.folder, target: PATHS.task }]
        : install.inputs.map((file) => ({ source: path.join(code.folder, file), target: `${PATHS.task}/${file}` }))
    const zip = await run(sandboxes, job, [...sources, ...interpreter.mounts, ...(npm?.mounts ?? [])], common, hosts)
    // A zip without entries is refused as an upload; here it means that there was nothing to install.
    const isEmpty = zip.length <= 22
    const tree = await cache.put(key, (folder) => (isEmpty ? Promise.resolve() : options.unpack(zip, folder)))
    return { tree, cached: false }
  }

  async function make(request: BuildRequest, sandboxes: SandboxHost, common: { log: LogTail; signal: AbortSignal }) {
    const { plan, code } = request
    const esbuild = plan.typescript === undefined ? undefined : findEsbuild()
    if (plan.typescript !== undefined && esbuild === undefined) {
      throw new HearthError('BUILD_UNAVAILABLE', 'This server has no esbuild for its processor: npm ci in its folder.')
    }
    const installed = plan.install && (await dependencies(request, plan.install, sandboxes, common))
    try {
      const job: Job = {
        step: 'assemble',
        hasDependencies: installed !== undefined,
        typescript: plan.typescript,
        limits: { bytes: LIMITS.unzippedBytes, entries: LIMITS.archiveEntries }
      }
      const mounts = [
        { source: code.folder, target: PATHS.task },
        ...(installed === undefined ? [] : [{ source: installed.tree.folder, target: PATHS.deps }]),
        ...(esbuild === undefined ? [] : [esbuild])
      ]
      return { zip: await run(sandboxes, job, mounts, common, undefined), cached: installed?.cached }
    } finally {
      await installed?.tree.release()
    }
  }

  async function build(request: BuildRequest, left: AbortSignal): Promise<BuildResult> {
    const log = createLogTail()
    const gone = firstOf(left, closing.signal)
    return queue(gone.signal, async () => {
      const startedAt = performance.now()
      const timeout = new AbortController()
      const timer = setTimeout(() => timeout.abort(), settings.timeoutMs)
      const { signal, forget } = firstOf(gone.signal, timeout.signal)
      try {
        const made = await host.use((sandboxes) => make(request, sandboxes, { log, signal }))
        return { ...made, log: log.text(), durationMs: Math.round(performance.now() - startedAt) }
      } catch (thrown) {
        if (thrown instanceof SandboxUnavailableError) {
          throw new HearthError(
            'SANDBOX_UNAVAILABLE',
            'This server can make no sandbox to build in: see npm run doctor.',
            {
              cause: thrown
            }
          )
        }
        if (closing.signal.aborted) throw new HearthError('SHUTTING_DOWN', 'The server stops.')
        if (timeout.signal.aborted && !left.aborted) {
          const message = `The build took longer than ${settings.timeoutMs / 1_000} s (HEARTH_BUILD_MS).`
          throw new HearthError('BUILD_FAILED', message, { reason: 'TimedOut', log: log.text() })
        }
        if (thrown instanceof HearthError && thrown.code === 'INVALID_ARCHIVE') {
          throw new HearthError('BUILD_FAILED', `What was installed cannot be used: ${thrown.message}`, {
            reason: 'Refused',
            log: log.text()
          })
        }
        throw thrown
      } finally {
        clearTimeout(timer)
        forget()
      }
    }).finally(gone.forget)
  }

  return {
    build(request, signal) {
      const work = build(request, signal)
      running.add(work)
      void work.catch(() => {}).then(() => running.delete(work))
      return work
    },
    async close() {
      closing.abort()
      await Promise.allSettled(running)
      await host.close()
    }
  }
}

/** Aborted with the first of `signals`. Not AbortSignal.any: Node 20 may collect what that makes while it is listened to. */
function firstOf(...signals: readonly AbortSignal[]): { readonly signal: AbortSignal; readonly forget: () => void } {
  const first = new AbortController()
  const done = new AbortController()
  for (const signal of signals) {
    if (signal.aborted) first.abort(signal.reason)
    else signal.addEventListener('abort', () => first.abort(signal.reason), { signal: done.signal })
  }
  return { signal: first.signal, forget: () => done.abort() }
}

/** Names of a server's build sandboxes, apart from those of its functions. */
export function buildHostIdentity(dataDir: string, runDir: string | undefined, runtimeDir: string | undefined) {
  const serverId = serverIdOf(dataDir, 'builds')
  const own = defaultRunDir(serverId, process.getuid?.() ?? 0, runtimeDir)
  return { serverId, runDir: runDir === undefined ? own : path.join(runDir, 'b') }
}

/** The system's certificates: an operator's own registry may have one of an authority of their own. */
const CERTIFICATES: Readonly<Record<string, string>> = {
  NODE_EXTRA_CA_CERTS: CA_FILE,
  SSL_CERT_DIR: '/etc/ssl/certs'
}

/** Hash of everything that decides what is installed. */
async function keyOf(
  { functionName, code, interpreter }: BuildRequest,
  { tool, inputs }: InstallPlan,
  { registry = '', npm = '' }: { readonly registry: string | undefined; readonly npm: string | undefined }
): Promise<string> {
  const hash = createHash('sha256')
  const add = (text: string | Buffer) => hash.update(`${Buffer.byteLength(text)}:`).update(text)
  for (const part of [BUILDER_VERSION, functionName, tool, process.arch, interpreter.version, npm, registry]) add(part)
  if (inputs === undefined) add(code.digest)
  for (const file of inputs ?? []) {
    add(file)
    add(await code.head(file, LIMITS.unzippedBytes))
  }
  return hash.digest('hex')
}
