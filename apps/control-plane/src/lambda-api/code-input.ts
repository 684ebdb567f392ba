import type { PackageView } from '@hearth/executor/runtimes'
import { type FunctionRecord, HearthError, LIMITS } from '@hearth/shared'
import { sniffPackage } from '../packages/package-kind.ts'
import type { PackageStore, StoredPackage } from '../packages/package-store.ts'
import type { Code } from './model.ts'
import { unsupported } from './unsupported-members.ts'

/**
 * JSON with 50 MiB of zip in base64. Source: recorded `Request must be smaller than 70167211 bytes`.
 */
export const CODE_BODY_BYTES = 70_167_211

/**
 * The zip in a request's code members.
 *
 * @throws HearthError INVALID_REQUEST, INVALID_ARCHIVE, PAYLOAD_TOO_LARGE, UNSUPPORTED_FEATURE
 */
export function readZip(code: Code): Buffer {
  if (isGiven(code.ImageUri)) throw unsupported('ImageUri', 'container images are not supported')
  if (isGiven(code.S3Bucket) || isGiven(code.S3Key) || isGiven(code.S3ObjectVersion) || code.S3ObjectStorageMode)
    throw unsupported('S3Bucket', 'code in S3 is not supported yet; send it as ZipFile')
  if (isGiven(code.SourceKMSKeyArn))
    throw unsupported('SourceKMSKeyArn', "packages are kept under this server's own protection")
  if (code.ZipFile === undefined || code.ZipFile === null) {
    throw new HearthError('INVALID_REQUEST', 'Please provide a source for function code.')
  }
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(code.ZipFile)) {
    throw new HearthError('INVALID_PAYLOAD', 'ZipFile is not base64.', { awsCode: 'SerializationException' })
  }
  const zip = Buffer.from(code.ZipFile, 'base64')
  if (zip.length === 0) throw new HearthError('INVALID_ARCHIVE', 'Uploaded file must be a non-empty zip')
  if (zip.length > LIMITS.zipBytes)
    throw new HearthError('PAYLOAD_TOO_LARGE', `Zipped size must be smaller than ${LIMITS.zipBytes} bytes`)
  if (sniffPackage(zip) !== 'zip') {
    throw new HearthError(
      'INVALID_ARCHIVE',
      'Could not unzip uploaded file. Please check your file, then try to upload again.'
    )
  }
  return zip
}

/** Takes a zip in after `inspect` has looked at it, lets `use` write the function, and lets the artifact go again. */
export async function withPackage<T>(
  packages: PackageStore,
  zip: Buffer,
  keep: boolean,
  inspect: (view: PackageView) => Promise<unknown>,
  use: (stored: StoredPackage) => T
): Promise<T> {
  const stored = await packages.add(zip, 'zip', keep, async (view) => {
    await inspect(view)
  })
  try {
    return use(stored)
  } finally {
    stored.release()
  }
}

/** @throws HearthError UNSUPPORTED_FEATURE for another processor than this machine's */
export function checkArchitecture(
  wanted: readonly FunctionRecord['architecture'][] | null | undefined,
  here: FunctionRecord['architecture']
): void {
  const [architecture] = wanted ?? []
  if (architecture === undefined || architecture === here) return
  throw unsupported('Architectures', `this machine runs ${here} functions`)
}

function isGiven(text: string | null | undefined): boolean {
  return text !== undefined && text !== null && text !== ''
}
