import { type FunctionRecord, HearthError, LIMITS } from '@hearth/shared'
import { sniffPackage } from '../packages/package-kind.ts'
import type { AddOptions, PackageStore, StoredPackage } from '../packages/package-store.ts'
import type { S3Source } from '../packages/s3-source.ts'
import type { Code } from './model.ts'
import { unsupported } from './unsupported-members.ts'
import { notParsed } from './wrong-type.ts'

/**
 * JSON with 50 MiB of zip in base64. Source: recorded `Request must be smaller than 70167211 bytes`.
 */
export const CODE_BODY_BYTES = 70_167_211

/** A zip, or how to fetch it to a file. */
type CodeSource = Buffer | ((file: string) => Promise<void>)

/**
 * Where the zip of a request's code members is.
 *
 * @throws HearthError INVALID_REQUEST, INVALID_ARCHIVE, PAYLOAD_TOO_LARGE, UNSUPPORTED_FEATURE
 */
export function readCode(code: Code, s3: S3Source): CodeSource {
  if (isGiven(code.ImageUri)) throw unsupported('ImageUri', 'container images are not supported')
  if (isGiven(code.SourceKMSKeyArn))
    throw unsupported('SourceKMSKeyArn', "packages are kept under this server's own protection")
  const { S3Bucket: bucket, S3Key: key, S3ObjectVersion: version } = code
  const isElsewhere = isGiven(bucket) || isGiven(key) || isGiven(version)
  if (code.ZipFile !== undefined && code.ZipFile !== null) {
    if (!isElsewhere) return readZip(code.ZipFile)
    const message = 'Please do not provide other FunctionCode parameters when providing a ZipFile.'
    throw new HearthError('INVALID_REQUEST', message)
  }
  if (!isElsewhere) throw new HearthError('INVALID_REQUEST', 'Please provide a source for function code.')
  if (!isGiven(bucket) || !isGiven(key))
    throw new HearthError('INVALID_REQUEST', 'Please provide both S3Bucket and S3Key.')
  if (code.S3ObjectStorageMode === 'REFERENCE')
    throw unsupported('S3ObjectStorageMode', 'code is always copied; COPY is taken')
  return (file) => s3.fetch({ bucket, key, version: version ?? undefined }, file)
}

function readZip(text: string): Buffer {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw notParsed('ZipFile is not base64.')
  }
  const zip = Buffer.from(text, 'base64')
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

/** Takes a zip in, lets `use` write what it is for, and lets the artifact go again. */
export async function withPackage<T>(
  packages: PackageStore,
  source: CodeSource,
  options: AddOptions,
  use: (stored: StoredPackage) => T
): Promise<T> {
  const stored = await (Buffer.isBuffer(source)
    ? packages.add(source, 'zip', options)
    : packages.addFrom(source, options))
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

function isGiven(text: string | null | undefined): text is string {
  return text !== undefined && text !== null && text !== ''
}
