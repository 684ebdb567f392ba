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

/** Takes packages in: checks, unpacks and stores them off the event loop. */
export interface PackageStore {
  /**
   * @param keep - False: check only (dry run).
   * @param inspect - Looks at what was unpacked; when it throws, nothing is kept.
   * @throws HearthError INVALID_ARCHIVE, PAYLOAD_TOO_LARGE, CAPACITY_EXHAUSTED, and what `inspect` throws
   */
  add(
    bytes: Buffer,
    kind: Exclude<PackageKind, 'source'>,
    keep: boolean,
    inspect: (view: PackageView) => Promise<void>
  ): Promise<StoredPackage>
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

  return {
    async add(bytes, kind, keep, inspect) {
      if (bytes.length > LIMITS.zipBytes) {
        throw new HearthError(
          'PAYLOAD_TOO_LARGE',
          `A package may have ${LIMITS.zipBytes} bytes; this one has ${bytes.length}.`,
          {
            awsMessage: `Zipped size must be smaller than ${LIMITS.zipBytes} bytes`
          }
        )
      }
      if (workers.queueSize >= 64)
        throw new HearthError('CAPACITY_EXHAUSTED', 'Too many packages are being unpacked. Try again.')
      const stage = await artifacts.stage()
      try {
        // A copy of its own, because it is moved to the thread and small Buffers share their memory.
        const copy = Uint8Array.from(bytes)
        const result = await workers.run(
          { bytes: copy, kind, packageFile: stage.packageFile, codeDir: stage.codeDir },
          { transferList: [copy.buffer], signal: AbortSignal.timeout(UNPACK_LIMIT_MS) }
        )
        if (!result.ok) {
          const { message, awsMessage } = result
          throw new HearthError('INVALID_ARCHIVE', message, awsMessage === undefined ? {} : { awsMessage })
        }
        const { sha256: artifact, codeSha256, files } = result
        await inspect(await openPackageView(stage.codeDir, files))
        if (!keep) return { artifact, codeSha256, codeSize: bytes.length, files, release: () => undefined }
        const release = artifacts.pin(artifact)
        try {
          await artifacts.publish(stage, artifact)
        } catch (thrown) {
          release()
          throw thrown
        }
        return { artifact, codeSha256, codeSize: bytes.length, files, release }
      } catch (thrown) {
        if ((thrown as Error).name === 'AbortError') {
          throw new HearthError('INVALID_ARCHIVE', `Unpacking took longer than ${UNPACK_LIMIT_MS / 1_000} s.`, {
            cause: thrown
          })
        }
        throw thrown
      } finally {
        await stage.discard()
      }
    },

    close: () => workers.close()
  }
}
