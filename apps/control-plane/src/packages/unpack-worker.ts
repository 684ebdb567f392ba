import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { ArchiveError } from './archive-plan.ts'
import type { PackageKind } from './package-kind.ts'
import { unpackTarGz } from './unpack-tar.ts'
import { unpackZip } from './unpack-zip.ts'

export interface UnpackTask {
  readonly bytes: Uint8Array
  readonly kind: Exclude<PackageKind, 'source'>
  /** Where the bytes go as they are; undefined: nowhere. */
  readonly packageFile: string | undefined
  /** Where the tree goes. */
  readonly codeDir: string
}

/** Errors don't keep their class between threads, so a refusal is a value. */
export type UnpackResult =
  | { readonly ok: true; readonly sha256: string; readonly codeSha256: string; readonly files: readonly string[] }
  | { readonly ok: false; readonly message: string; readonly awsMessage: string | undefined }

/** Runs in a worker thread: hashes, stores and unpacks one package. */
export default async function unpack(task: UnpackTask): Promise<UnpackResult> {
  const bytes = Buffer.from(task.bytes.buffer, task.bytes.byteOffset, task.bytes.byteLength)
  try {
    const plan = await (task.kind === 'zip' ? unpackZip : unpackTarGz)(bytes, task.codeDir)
    if (plan.files.length === 0) throw new ArchiveError('The archive has no files in it.')
    if (task.packageFile !== undefined) await write(task.packageFile, bytes)
    const digest = createHash('sha256').update(bytes).digest()
    return { ok: true, sha256: digest.toString('hex'), codeSha256: digest.toString('base64'), files: plan.files }
  } catch (thrown) {
    if (!(thrown instanceof ArchiveError)) throw thrown
    return { ok: false, message: thrown.message, awsMessage: thrown.awsMessage }
  }
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
