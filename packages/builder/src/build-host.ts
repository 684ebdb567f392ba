import { statfs } from 'node:fs/promises'
import path from 'node:path'
import { openSandboxHost, type SandboxHost, type SandboxHostOptions } from '@hearth/sandbox'

export interface BuildHostOptions extends Pick<SandboxHostOptions, 'runDir' | 'serverId' | 'isolation' | 'log'> {
  /** Where the disk of the sandboxes is made. */
  readonly dataDir: string
  /** MiB that one build may write. */
  readonly diskMiB: number
  readonly parallel: number
}

/** A sandbox host that is there while there are builds. */
export interface BuildHost {
  /** @throws SandboxUnavailableError */
  use<T>(work: (host: SandboxHost) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** How long it stays after the last build: the next deploy often comes soon. */
const IDLE_MS = 60_000
/** A sandbox gets its place on disk while this many times its size is free. */
const SPARE = 1.5
const OVERHEAD_MIB = 256

export function createBuildHost(options: BuildHostOptions): BuildHost {
  let host: Promise<SandboxHost> | undefined
  let users = 0
  let timer: NodeJS.Timeout | undefined
  let closing: Promise<void> = Promise.resolve()

  const open = async (): Promise<SandboxHost> => {
    await closing
    const { runDir, serverId, isolation, log } = options
    return openSandboxHost({ runDir, serverId, isolation, log, networks: ['none'], dns: [], tmpDisk: await disk() })
  }

  async function disk() {
    const { bavail, bsize } = await statfs(options.dataDir)
    const wanted = Math.ceil(options.parallel * options.diskMiB * SPARE) + OVERHEAD_MIB
    const mib = Math.min(wanted, Math.floor((bavail * bsize) / 2 / 1_048_576))
    return mib < options.diskMiB * SPARE ? undefined : { file: path.join(options.dataDir, 'builds.img'), mib }
  }

  const shut = (): Promise<void> => {
    const open = host
    host = undefined
    if (open !== undefined) closing = open.then((opened) => opened.close()).catch(() => {})
    return closing
  }

  return {
    async use(work) {
      clearTimeout(timer)
      users += 1
      try {
        host ??= open()
        const opened = await host.catch((thrown: unknown) => {
          host = undefined
          throw thrown
        })
        return await work(opened)
      } finally {
        users -= 1
        if (users === 0) {
          timer = setTimeout(() => {
            if (users === 0) void shut()
          }, IDLE_MS)
          timer.unref()
        }
      }
    },
    async close() {
      clearTimeout(timer)
      await shut()
    }
  }
}
