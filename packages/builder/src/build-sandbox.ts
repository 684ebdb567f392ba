import { mkdir } from 'node:fs/promises'
import type { Socket } from 'node:net'
import path from 'node:path'
import { type Mount, type SandboxExit, type SandboxHost, whenClosed } from '@hearth/sandbox'
import { HearthError } from '@hearth/shared'
import type { AllowedHosts } from './allowed-hosts.ts'
import { startEgressProxy } from './egress-proxy.ts'
import { type Job, PATHS, type Reply } from './job.ts'
import type { LogTail } from './log-tail.ts'
import { PROGRAM } from './tools.ts'

export interface SandboxRun {
  readonly job: Job
  readonly mounts: readonly Mount[]
  /** Undefined: no way out. */
  readonly hosts: AllowedHosts | undefined
  /** Folder for the proxy's socket. */
  readonly socketDir: string
  readonly memoryMiB: number
  readonly diskMiB: number
  readonly log: LogTail
  /** Ends it: the time is over, or nobody waits any more. */
  readonly signal: AbortSignal
}

const PIDS = 256
/** One build leaves the other CPUs to functions. */
const CPUS = 1
const REPLY_BYTES = 16_384
/** What an artifact may weigh when it comes from a build: packed, 250 MiB of libraries are well below. */
const RESULT_BYTES = 134_217_728

let sockets = 0

/**
 * Does one job in a sandbox of its own and gives its zip. What comes out is as untrusted as an upload.
 *
 * @throws HearthError BUILD_FAILED, BUILD_UNAVAILABLE; the signal's reason when that ended it
 */
export async function runInSandbox(host: SandboxHost, run: SandboxRun): Promise<Buffer> {
  const { job, log, signal } = run
  signal.throwIfAborted()
  await mkdir(run.socketDir, { recursive: true, mode: 0o700 })
  const socket = path.join(run.socketDir, `p${(++sockets).toString(36)}`)
  const onRefused = (line: string) => void log.add(`${line}\n`)
  const proxy = run.hosts && (await startEgressProxy({ path: socket, hosts: run.hosts, onRefused }))
  try {
    const sandbox = await host.start({
      command: [PATHS.node, `${PATHS.program}/build.cjs`],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', TZ: 'UTC', HOME: '/tmp' },
      mounts: [...PROGRAM, ...run.mounts, ...(proxy === undefined ? [] : [{ source: socket, target: PATHS.proxy }])],
      memoryMiB: run.memoryMiB,
      tmpMiB: run.diskMiB,
      pids: PIDS,
      network: 'none'
    })
    const kill = () => sandbox.kill()
    signal.addEventListener('abort', kill)
    try {
      if (signal.aborted) kill()
      const { channel, output } = sandbox
      channel.on('error', kill)
      let flooded = false
      output.on('data', (chunk: Buffer) => {
        if (log.add(chunk) || flooded) return
        flooded = true
        kill()
      })
      output.on('error', () => {})
      const outputEnd = new Promise<void>((resolve) => {
        whenClosed(output, resolve)
      })
      sandbox.limitCpu(CPUS)
      await sandbox.assign({ mounts: [] }).catch(kill)
      channel.write(`${JSON.stringify(job)}\n`)
      const answer = await readAnswer(channel, kill)
      // What a build leaves running has nothing more to say.
      kill()
      const exit = await sandbox.exited
      output.resume()
      await outputEnd
      signal.throwIfAborted()
      return judge(answer, exit, flooded, run)
    } finally {
      signal.removeEventListener('abort', kill)
      kill()
      await sandbox.exited
      sandbox.channel.destroy()
      sandbox.output.destroy()
    }
  } finally {
    await proxy?.close()
  }
}

interface Answer {
  readonly reply: Reply | undefined
  readonly zip: Buffer
  readonly tooLarge: boolean
}

async function readAnswer(channel: Socket, kill: () => void): Promise<Answer> {
  const chunks: Buffer[] = []
  let size = 0
  let tooLarge = false
  await new Promise<void>((resolve) => {
    channel.on('data', (chunk: Buffer) => {
      if (tooLarge) return
      size += chunk.length
      tooLarge = size > RESULT_BYTES + REPLY_BYTES
      if (tooLarge) kill()
      else chunks.push(chunk)
    })
    channel.on('end', resolve)
    whenClosed(channel, resolve)
    channel.resume()
  })
  const bytes = Buffer.concat(chunks)
  const end = bytes.subarray(0, REPLY_BYTES).indexOf('\n')
  return { reply: end < 0 ? undefined : parseReply(bytes.subarray(0, end)), zip: bytes.subarray(end + 1), tooLarge }
}

function judge({ reply, zip, tooLarge }: Answer, exit: SandboxExit, flooded: boolean, run: SandboxRun): Buffer {
  const fail = (message: string, reason: string) =>
    new HearthError('BUILD_FAILED', message, { reason, log: run.log.text() })
  if (flooded) return raise(fail('The build wrote far too much to its log.', 'LogFlood'))
  if (tooLarge) return raise(fail(`What the build made has more than ${RESULT_BYTES} bytes packed.`, 'TooLarge'))
  if (exit.oomKills > 0) return raise(fail(`The build needed more than ${run.memoryMiB} MiB of memory.`, 'OutOfMemory'))
  if (reply?.ok === true) return zip
  if (reply === undefined) return raise(fail('The build ended without a result.', 'Failed'))
  if (reply.missing !== undefined) {
    const message = `${reply.message.slice(0, 500)} On the server, install ${reply.missing.slice(0, 200)}.`
    throw new HearthError('BUILD_UNAVAILABLE', message)
  }
  const isFull = /ENOSPC|No space left on device/.test(run.log.text() + reply.message)
  const why = isFull ? ` It may write ${run.diskMiB} MiB (HEARTH_BUILD_DISK).` : ''
  return raise(fail(reply.message.slice(0, 500) + why, isFull ? 'DiskFull' : (reply.code ?? 'Failed')))
}

function raise(error: Error): never {
  throw error
}

function parseReply(line: Buffer): Reply | undefined {
  try {
    const value = JSON.parse(line.toString('utf8')) as Partial<Record<string, unknown>> | null
    if (value?.['ok'] === true) return { ok: true }
    if (value?.['ok'] !== false || typeof value['message'] !== 'string') return undefined
    const { message, missing, code } = value
    return {
      ok: false,
      message,
      ...(typeof missing === 'string' ? { missing } : {}),
      ...(code === 'TooLarge' ? { code } : {})
    }
  } catch {
    return undefined
  }
}
