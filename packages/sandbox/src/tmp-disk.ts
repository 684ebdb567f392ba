import { execFile } from 'node:child_process'
import { open, rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Launcher } from './launcher.ts'
import type { SandboxHostOptions } from './types.ts'

const MIB = 1024 * 1024
/** Each sandbox's image is one file, and there are a few templates. */
const INODES = 65_536
const MKFS_PATHS = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'].join(':')
const FLAGS = ['-q', '-F', '-O', '^has_journal,^resize_inode,^metadata_csum', '-m', '0', '-N', String(INODES)]

/** Where the /tmp of sandboxes lies. */
export interface TmpPlace {
  readonly onDisk: boolean
  /** For the report of what this machine enforces. */
  readonly how: string
}

/**
 * Makes the file system that holds the /tmp of every sandbox of this launcher. It has a fixed size, so that functions
 * fill that and not the server's disk, and no name: it is gone with the launcher, however that ends.
 *
 * Never throws: without loop devices or mkfs.ext4, /tmp is a tmpfs, and the log says so.
 */
export async function openTmpDisk(
  launcher: Launcher,
  { file, mib }: NonNullable<SandboxHostOptions['tmpDisk']>,
  log: SandboxHostOptions['log']
): Promise<TmpPlace> {
  try {
    await rm(file, { force: true })
    const image = await open(file, 'wx', 0o600)
    await image.truncate(mib * MIB)
    await image.close()
    const env = { PATH: MKFS_PATHS }
    await promisify(execFile)('mkfs.ext4', [...FLAGS, '-E', 'lazy_itable_init=1,nodiscard', file], { env })
    await launcher.ask('T', file)
    return { onDisk: true, how: `ext4 image per sandbox, ${mib} MiB for all` }
  } catch (error) {
    log('warn', '/tmp of functions is memory and counts as theirs: it cannot be put on disk', {
      error: String(error),
      remedy: 'apt-get install e2fsprogs; give the server loop devices'
    })
    return { onDisk: false, how: 'tmpfs, counted as memory of the function' }
  } finally {
    await rm(file, { force: true })
  }
}
