import type { PackageView } from '@hearth/executor/runtimes'
import { HearthError, LIMITS } from '@hearth/shared'
import type { ArtifactStore } from '@hearth/store'
import { Piscina } from 'piscina'
import type { PackageKind } from './package-kind.ts'
import { openPackageView } from './package-view.ts'
import type { UnpackResult, UnpackTask } from './unpack-worker.ts'

/** A package that lies in the artifact store, kept there until `release`. */
export interface StoredPackage {
  /** Hex sha256: the artifact's name. */
  readonly artifact: string
  /** Base64 of the same. */
  readonly codeSha256: string
  readonly codeSize: number
  /** Relative paths of what is in it. */
  readonly files: readonly string[]
  readonly release: () => void
}

/** What was unpacked, for a build. */
export interface UnpackedPackage extends PackageView {
  /** Absolute; gone when the step is over. */
  readonly folder: string
  /** Hex sha256 of the package as it was uploaded. */
  readonly digest: string
}

/** @returns the zip to store instead, or undefined: the package is stored as it is */
export type BuildStep = (unpacked: UnpackedPackage) => Promise<Buffer | undefined>

/** Takes packages in: checks, unpacks and stores them off the event loop. */
export interface PackageStore {
  /**
   * @param keep - False: check only (dry run).
   * @param build - Makes another package of it first, or leaves it as it is; when it throws, nothing is kept.
   * @param inspect - Looks at what was unpacked; when it throws, nothing is kept.
   * @throws HearthError INVALID_ARCHIVE, PAYLOAD_TOO_LARGE, CAPACITY_EXHAUSTED, and what `inspect` throws
   */
  add(
    bytes: Buffer,
    kind: Exclude<PackageKind, 'source'>,
    keep: boolean,
    inspect: (view: PackageView) => Promise<void>,
    build?: BuildStep
  ): Promise<StoredPackage>
  /**
   * Unpacks a zip below `folder`, and keeps nothing else of it.
   *
   * @throws HearthError INVALID_ARCHIVE
   */
  unpack(zip: Buffer, folder: string): Promise<void>
  close(): Promise<void>
}

/** Unpacking an honest package of the largest size takes a few seconds. */
const UNPACK_LIMIT_MS = 120_000

export function createPackageStore(artifacts: ArtifactStore): PackageStore {
  const workers = new Piscina<UnpackTask, UnpackResult>({
    filename: new URL(`./unpack-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href,
    minThreads: 0,
    maxThreads: 2,
    maxQueue: 64,
    idleTimeout: 10_000,
    // The default pauses a thread between its tasks, and with it whatever is still closing there.
    atomics: 'disabled'
  })

  const unpack = async (task: Omit<UnpackTask, 'bytes'>, bytes: Buffer) => {
    if (workers.queueSize >= 64)
      throw new HearthError('CAPACITY_EXHAUSTED', 'Too many packages are being unpacked. Try again.')
    // A copy of its own, because it is moved to the thread and small Buffers share their memory.
    const copy = Uint8Array.from(bytes)
    const options = { transferList: [copy.buffer], signal: AbortSignal.timeout(UNPACK_LIMIT_MS) }
    const result = await workers.run({ ...task, bytes: copy }, options).catch((thrown: unknown) => {
      if ((thrown as Error).name !== 'AbortError') throw thrown
      throw new HearthError('INVALID_ARCHIVE', `Unpacking took longer than ${UNPACK_LIMIT_MS / 1_000} s.`, {
        cause: thrown
      })
    })
    if (result.ok) return result
    const { message, awsMessage } = result
    throw new HearthError('INVALID_ARCHIVE', message, awsMessage === undefined ? {} : { awsMessage })
  }

  const add = async (
    bytes: Buffer,
    kind: Exclude<PackageKind, 'source'>,
    keep: boolean,
    inspect: (view: PackageView) => Promise<void>,
    build?: BuildStep
  ): Promise<StoredPackage> => {
    const stage = await artifacts.stage()
    try {
      const task = { kind, packageFile: stage.packageFile, codeDir: stage.codeDir }
      const { sha256: artifact, codeSha256, files } = await unpack(task, bytes)
      const view = await openPackageView(stage.codeDir, files)
      const built = await build?.({ ...view, folder: stage.codeDir, digest: artifact })
      if (built !== undefined) return await add(built, 'zip', keep, inspect)
      await inspect(view)
      if (!keep) return { artifact, codeSha256, codeSize: bytes.length, files, release: () => undefined }
      const release = artifacts.pin(artifact)
      try {
        await artifacts.publish(stage, artifact)
      } catch (thrown) {
        release()
        throw thrown
      }
      return { artifact, codeSha256, codeSize: bytes.length, files, release }
    } finally {
      await stage.discard()
    }
  }

  return {
    async add(bytes, kind, keep, inspect, build) {
      if (bytes.length > LIMITS.zipBytes) {
        throw new HearthError(
          'PAYLOAD_TOO_LARGE',
          `A package may have ${LIMITS.zipBytes} bytes; this one has ${bytes.length}.`,
          {
            awsMessage: `Zipped size must be smaller than ${LIMITS.zipBytes} bytes`
          }
        )
      }
      return add(bytes, kind, keep, inspect, build)
    },

    async unpack(zip, folder) {
      await unpack({ kind: 'zip', packageFile: undefined, codeDir: folder }, zip)
    },

    close: () => workers.close()
  }
}
