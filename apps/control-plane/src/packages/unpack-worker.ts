import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { ArchiveError, type ArchivePlan } from './archive-plan.ts'
import type { PackageKind } from './package-kind.ts'
import { unpackZip, unpackZipFile } from './unpack-zip.ts'

export interface UnpackTask {
  /** Undefined: they lie in `packageFile` already, as a zip. */
  readonly bytes: Uint8Array | undefined
  readonly kind: Exclude<PackageKind, 'source'>
  /** Where the bytes go as they are; undefined: nowhere. */
  readonly packageFile: string | undefined
  /** Where the tree goes. */
  readonly codeDir: string
  /** Where functions see the tree. */
  readonly home: string | undefined
}

/** Errors don't keep their class between threads, so a refusal is a value. */
export type UnpackResult =
  | {
      readonly ok: true
      readonly sha256: string
      readonly codeSha256: string
      readonly files: readonly string[]
      readonly unzippedSize: number
    }
  | { readonly ok: false; readonly message: string; readonly awsMessage: string | undefined }

/** Runs in a worker thread: hashes, stores and unpacks one package. */
export default async function unpack(task: UnpackTask): Promise<UnpackResult> {
  try {
    const { plan, digest } = await (task.bytes === undefined ? unpackStored(task) : unpackBytes(task, task.bytes))
    return {
      ok: true,
      sha256: digest.toString('hex'),
      codeSha256: digest.toString('base64'),
      files: plan.files,
      unzippedSize: plan.bytes
    }
  } catch (thrown) {
    if (!(thrown instanceof ArchiveError)) throw thrown
    return { ok: false, message: thrown.message, awsMessage: thrown.awsMessage }
  }
}

interface Unpacked {
  readonly plan: ArchivePlan
  readonly digest: Buffer
}

async function unpackBytes({ kind, packageFile, codeDir, home }: UnpackTask, given: Uint8Array): Promise<Unpacked> {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength)
  // Most packages are zips: a thread that starts for one does not wait for what reads the other kind.
  const unpackAny = kind === 'zip' ? unpackZip : (await import('./unpack-tar.ts')).unpackTarGz
  const plan = await unpackAny(bytes, codeDir, home)
  // Without a file of its own it is what a build installed: for workspaces that is links alone.
  if (packageFile !== undefined) {
    requireFiles(plan)
    await write(packageFile, bytes)
  }
  return { plan, digest: createHash('sha256').update(bytes).digest() }
}

async function write(file: string, bytes: Buffer): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function unpackStored({ packageFile, codeDir, home }: UnpackTask): Promise<Unpacked> {
  if (packageFile === undefined) throw new Error('a package without bytes has a file')
  const plan = await unpackZipFile(packageFile, codeDir, home)
  requireFiles(plan)
  const hash = createHash('sha256')
  await pipeline(createReadStream(packageFile), hash)
  return { plan, digest: hash.digest() }
}

function requireFiles(plan: ArchivePlan): void {
  if (plan.files.length === 0) throw new ArchiveError('The archive has no files in it.')
}
