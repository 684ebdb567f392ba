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

/** What a package is looked at for before it is kept. @param unzippedSize - Bytes of its files */
export type Inspect = (view: PackageView, unzippedSize: number) => Promise<unknown>

export interface AddOptions {
  /** False: check only (dry run). */
  readonly keep?: boolean
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

  /** @param bytes - Undefined: they are in the stage */
  const unpack = async (
    stage: Stage,
    bytes: Buffer | undefined,
    kind: UnpackTask['kind'],
    { keep = true, inspect, home }: AddOptions
  ): Promise<StoredPackage> => {
    // A copy of its own, because it is moved to the thread and small Buffers share their memory.
    const copy = bytes === undefined ? undefined : Uint8Array.from(bytes)
    const result = await workers
      .run(
        { bytes: copy, kind, packageFile: stage.packageFile, codeDir: stage.codeDir, home },
        {
          ...(copy === undefined ? {} : { transferList: [copy.buffer] }),
          signal: AbortSignal.timeout(UNPACK_LIMIT_MS)
        }
      )
      .catch((cause: Error) => {
        if (cause.name !== 'AbortError') throw cause
        throw new HearthError('INVALID_ARCHIVE', `Unpacking took longer than ${UNPACK_LIMIT_MS / 1_000} s.`, { cause })
      })
    if (!result.ok) {
      const { message, awsMessage } = result
      throw new HearthError('INVALID_ARCHIVE', message, awsMessage === undefined ? {} : { awsMessage })
    }
    const { sha256: artifact, codeSha256, files, unzippedSize } = result
    await inspect?.(await openPackageView(stage.codeDir, files), unzippedSize)
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
      refuseWhenFull()
      const stage = await artifacts.stage()
      try {
        return await unpack(stage, bytes, kind, options)
      } finally {
        await stage.discard()
      }
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
          return await unpack(stage, undefined, 'zip', options)
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
