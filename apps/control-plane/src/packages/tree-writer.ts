import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { chmod, copyFile, link, mkdir, open, symlink } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import type { ArchivePlan } from './archive-plan.ts'

/** Writes a package's tree below one folder, so that it survives a power cut. */
export interface TreeWriter {
  directory(relative: string): Promise<void>
  file(relative: string, executable: boolean, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void>
  /** Shows a file of another tree here too: they are never written again, so one copy on the disk will do. */
  share(relative: string, source: string): Promise<void>
  /** Makes the links, which come last so that nothing was ever written through one, and syncs the folders. */
  finish(plan: Pick<ArchivePlan, 'resolvedLinks'>): Promise<void>
}

/** Files written at the same time. */
const PARALLEL = 8

/** Up to this many files and folders are synced one by one. */
const FEW = 32

/** Modes are set and not asked for: the umask of whoever started the server must not decide what a sandbox can read. */
const DIR_MODE = 0o755
const FILE_MODE = 0o644
const EXECUTABLE_MODE = 0o755

export function createTreeWriter(root: string): TreeWriter {
  const made = new Set<string>()
  const written: string[] = []

  const makeDir = async (relative: string): Promise<void> => {
    if (made.has(relative)) return
    if (relative !== '') await makeDir(parentOf(relative))
    const dir = path.join(root, relative)
    await mkdir(dir, { mode: DIR_MODE, recursive: true })
    await chmod(dir, DIR_MODE)
    made.add(relative)
  }

  return {
    directory: makeDir,

    async file(relative, executable, chunks) {
      await makeDir(parentOf(relative))
      // wx: never through anything that is there already.
      const handle = await open(path.join(root, relative), 'wx', FILE_MODE)
      try {
        for await (const chunk of chunks) await handle.write(chunk)
        await handle.chmod(executable ? EXECUTABLE_MODE : FILE_MODE)
      } finally {
        await handle.close()
      }
      written.push(relative)
    },

    async share(relative, source) {
      await makeDir(parentOf(relative))
      const target = path.join(root, relative)
      await link(source, target).catch(async (thrown: NodeJS.ErrnoException) => {
        // File systems without hard links, and files that have as many as there may be.
        if (!['EMLINK', 'ENOTSUP', 'EPERM', 'EXDEV'].includes(thrown.code ?? '')) throw thrown
        await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
      })
      written.push(relative)
    },

    async finish(plan) {
      await makeDir('')
      for (const { path: at, target } of plan.resolvedLinks()) {
        await makeDir(parentOf(at))
        await symlink(target, path.join(root, at))
      }
      await syncTree(root, [...written, ...made])
    }
  }
}

/**
 * Brings a tree to the disk. An fsync each (0.4 ms measured) is too much for thousands of files, and Node has no
 * syncfs: `sync -f`, which every Debian and Ubuntu has, makes that call.
 */
async function syncTree(root: string, entries: readonly string[]): Promise<void> {
  if (entries.length > FEW) {
    const done = await promisify(execFile)('sync', ['-f', root]).then(
      () => true,
      () => false
    )
    if (done) return
  }
  for (const entry of entries) {
    const handle = await open(path.join(root, entry), 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }
}

/**
 * Runs all jobs, some at a time, and waits for every one that has begun even if one fails.
 *
 * @throws what the first failing job threw
 */
export async function runAll(jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let job = jobs[next++]; job !== undefined && failures.length === 0; job = jobs[next++]) {
      await job().catch((thrown: unknown) => failures.push(thrown))
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, work))
  if (failures.length > 0) throw failures[0]
}

function parentOf(relative: string): string {
  const slash = relative.lastIndexOf('/')
  return slash < 0 ? '' : relative.slice(0, slash)
}
