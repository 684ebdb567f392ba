import { stat } from 'node:fs/promises'
import type { PackageView } from '@hearth/executor/runtimes'
import { HearthError, LIMITS } from '@hearth/shared'
import type { ArtifactStore, Stage } from '@hearth/store'
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
  /** Bytes of its files. */
  readonly unzippedSize: number
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

/** What a package is looked at for before it is kept. @param unzippedSize - Bytes of its files */
export type Inspect = (view: PackageView, unzippedSize: number) => Promise<unknown>

export interface AddOptions {
  /** False: check only (dry run). */
  readonly keep?: boolean
  /** Makes another package of it first, or leaves it as it is; when it throws, nothing is kept. */
  readonly build?: BuildStep | undefined
  /** When it throws, nothing is kept. */
  readonly inspect?: Inspect
  /** Where functions see the tree, when it is a layer's: absolute links to below it are taken. */
  readonly home?: string
}

/** Takes packages in: checks, unpacks and stores them off the event loop. */
export interface PackageStore {
  /** @throws HearthError INVALID_ARCHIVE, PAYLOAD_TOO_LARGE, CAPACITY_EXHAUSTED, and what `inspect` throws */
  add(bytes: Buffer, kind: Exclude<PackageKind, 'source'>, options?: AddOptions): Promise<StoredPackage>
  /**
   * The same for a zip that comes from elsewhere, which is never in memory as a whole.
   *
   * @param fetch - Writes it to a file that is not there yet
   */
  addFrom(fetch: (file: string) => Promise<void>, options?: AddOptions): Promise<StoredPackage>
  /**
   * Unpacks a zip below `folder`, and keeps nothing else of it.
   *
   * @throws HearthError INVALID_ARCHIVE
   */
  unpack(zip: Buffer, folder: string): Promise<void>
  close(): Promise<void>
}

/** Packages that may be on their way from elsewhere at once: each may fill 250 MiB of the disk. */
const FETCHES = 8
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

  let fetching = 0
  const refuseWhenFull = (): void => {
    if (workers.queueSize >= 64)
      throw new HearthError('CAPACITY_EXHAUSTED', 'Too many packages are being unpacked. Try again.')
  }

  /** @param bytes - Undefined: they are in the package file */
  const unpack = async (task: Omit<UnpackTask, 'bytes'>, bytes: Buffer | undefined) => {
    // A copy of its own, because it is moved to the thread and small Buffers share their memory.
    const copy = bytes === undefined ? undefined : Uint8Array.from(bytes)
    const result = await workers
      .run(
        { ...task, bytes: copy },
        {
          ...(copy === undefined ? {} : { transferList: [copy.buffer] }),
          signal: AbortSignal.timeout(UNPACK_LIMIT_MS)
        }
      )
      .catch((cause: Error) => {
        if (cause.name !== 'AbortError') throw cause
        throw new HearthError('INVALID_ARCHIVE', `Unpacking took longer than ${UNPACK_LIMIT_MS / 1_000} s.`, { cause })
      })
    if (result.ok) return result
    const { message, awsMessage } = result
    throw new HearthError('INVALID_ARCHIVE', message, awsMessage === undefined ? {} : { awsMessage })
  }

  const takeIn = async (
    stage: Stage,
    bytes: Buffer | undefined,
    kind: UnpackTask['kind'],
    { keep = true, build, inspect, home }: AddOptions
  ): Promise<StoredPackage> => {
    const task = { kind, packageFile: stage.packageFile, codeDir: stage.codeDir, home }
    const { sha256: artifact, codeSha256, files, unzippedSize } = await unpack(task, bytes)
    const view = await openPackageView(stage.codeDir, files)
    const built = await build?.({ ...view, folder: stage.codeDir, digest: artifact })
    if (built !== undefined) return add(built, 'zip', { keep, ...(inspect === undefined ? {} : { inspect }) })
    await inspect?.(view, unzippedSize)
    const codeSize = bytes?.length ?? (await stat(stage.packageFile)).size
    const stored = { artifact, codeSha256, codeSize, unzippedSize, files }
    if (!keep) return { ...stored, release: () => undefined }
    const release = artifacts.pin(artifact)
    try {
      await artifacts.publish(stage, artifact)
    } catch (thrown) {
      release()
      throw thrown
    }
    return { ...stored, release }
  }

  const add = async (
    bytes: Buffer,
    kind: Exclude<PackageKind, 'source'>,
    options: AddOptions
  ): Promise<StoredPackage> => {
    refuseWhenFull()
    const stage = await artifacts.stage()
    try {
      return await takeIn(stage, bytes, kind, options)
    } finally {
      await stage.discard()
    }
  }

  return {
    async add(bytes, kind, options = {}) {
      if (bytes.length > LIMITS.zipBytes) {
        throw new HearthError(
          'PAYLOAD_TOO_LARGE',
          `A package may have ${LIMITS.zipBytes} bytes; this one has ${bytes.length}.`,
          {
            awsMessage: `Zipped size must be smaller than ${LIMITS.zipBytes} bytes`
          }
        )
      }
      return add(bytes, kind, options)
    },

    async unpack(zip, folder) {
      refuseWhenFull()
      await unpack({ kind: 'zip', packageFile: undefined, codeDir: folder, home: undefined }, zip)
    },

    async addFrom(fetch, options = {}) {
      refuseWhenFull()
      if (fetching >= FETCHES)
        throw new HearthError(
          'CAPACITY_EXHAUSTED',
          'Too many packages are being fetched at once. Try again in a moment.'
        )
      fetching += 1
      try {
        const stage = await artifacts.stage()
        try {
          await fetch(stage.packageFile)
          return await takeIn(stage, undefined, 'zip', options)
        } finally {
          await stage.discard()
        }
      } finally {
        fetching -= 1
      }
    },

    close: () => workers.close()
  }
}
