import { createWriteStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type * as S3 from '@aws-sdk/client-s3'
import { type Config, HearthError, LIMITS } from '@hearth/shared'

export interface S3Object {
  readonly bucket: string
  readonly key: string
  /** Undefined: the current one. */
  readonly version: string | undefined
}

/** Code that lies in an S3-compatible store. */
export interface S3Source {
  /**
   * Writes an object to a file that is not there yet.
   *
   * @throws HearthError UNSUPPORTED_FEATURE when none is configured, INVALID_REQUEST and ACCESS_DENIED as the store
   * says, INVALID_ARCHIVE when it is too large, CODE_SOURCE_UNAVAILABLE
   */
  fetch(object: S3Object, file: string): Promise<void>
  close(): void
}

type Sdk = Pick<typeof S3, 'S3Client' | 'GetObjectCommand'>

const CONNECT_MS = 5_000
/** Without a byte. */
const SILENCE_MS = 30_000
/** All of it: 250 MiB at 2 MiB/s. */
const WHOLE_MS = 125_000

/** @param load - The SDK, which is loaded when it is first used: a server without S3 need not have it */
export function createS3Source(
  settings: Config['s3'],
  load: () => Promise<Sdk> = () => import('@aws-sdk/client-s3')
): S3Source {
  let opened: Promise<{ readonly client: S3.S3Client; readonly sdk: Sdk }> | undefined

  const open = async () => {
    if (settings === undefined) throw unsupported('set HEARTH_S3_ENDPOINT to where it lies, or send it as ZipFile')
    const sdk = await load().catch((cause: unknown) => {
      throw unsupported('the package @aws-sdk/client-s3 is not installed (npm install --include=optional)', cause)
    })
    const { endpoint, region, accessKeyId, secretAccessKey, pathStyle } = settings
    const client = new sdk.S3Client({
      endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: pathStyle,
      // Not every store has the newer checksums.
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: SILENCE_MS, socketTimeout: SILENCE_MS }
    })
    return { client, sdk }
  }

  return {
    async fetch({ bucket, key, version }, file) {
      opened ??= open()
      // A failure is not kept: the package may be installed while the server runs.
      const { client, sdk } = await opened.catch((thrown: unknown) => {
        opened = undefined
        throw thrown
      })
      const signal = AbortSignal.timeout(WHOLE_MS)
      const command = new sdk.GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ...(version === undefined ? {} : { VersionId: version })
      })
      try {
        const { Body, ContentLength = 0 }: S3.GetObjectCommandOutput = await client.send(command, {
          abortSignal: signal
        })
        if (Body === undefined) throw new Error('the answer has no body')
        if (ContentLength > LIMITS.unzippedBytes) {
          ;(Body as Readable).destroy()
          throw tooLarge()
        }
        await pipeline(Body as Readable, upToLimit, createWriteStream(file, { flags: 'wx', mode: 0o600 }), { signal })
      } catch (thrown) {
        throw toRefusal(thrown, bucket, key)
      }
    },

    close() {
      void opened?.then(
        ({ client }) => {
          client.destroy()
        },
        () => undefined
      )
    }
  }
}

async function* upToLimit(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of source) {
    bytes += chunk.length
    if (bytes > LIMITS.unzippedBytes) throw tooLarge()
    yield chunk
  }
}

/** What the store says is the caller's affair, in AWS's words; what keeps it from saying anything is not. */
function toRefusal(thrown: unknown, bucket: string, key: string): Error {
  if (thrown instanceof HearthError) return thrown
  const { name, message, $metadata } = thrown as Partial<S3.S3ServiceException>
  // The disk is full, say: nothing that the store could help.
  if ($metadata === undefined && (thrown as NodeJS.ErrnoException).path !== undefined) return thrown as Error
  const status = $metadata?.httpStatusCode ?? 0
  // Those are this server's own, which the caller can do nothing about.
  if (name === 'InvalidAccessKeyId' || name === 'SignatureDoesNotMatch') {
    return new HearthError(
      'CODE_SOURCE_UNAVAILABLE',
      "The S3 endpoint of this server does not take the server's key.",
      {
        cause: thrown
      }
    )
  }
  if (status === 403) {
    return new HearthError(
      'ACCESS_DENIED',
      `Your access has been denied by S3, please make sure your request credentials have permission to GetObject for ${bucket}/${key}. S3 Error Code: ${name}. S3 Error Message: ${message}`,
      { cause: thrown }
    )
  }
  if (status >= 400 && status < 500) {
    return new HearthError(
      'INVALID_REQUEST',
      `Error occurred while GetObject. S3 Error Code: ${name}. S3 Error Message: ${message}`,
      { cause: thrown }
    )
  }
  return new HearthError('CODE_SOURCE_UNAVAILABLE', 'The S3 endpoint of this server does not answer as it should.', {
    cause: thrown
  })
}

function tooLarge(): HearthError {
  return new HearthError('INVALID_ARCHIVE', `Unzipped size must be smaller than ${LIMITS.unzippedBytes} bytes`)
}

function unsupported(why: string, cause?: unknown): HearthError {
  return new HearthError('UNSUPPORTED_FEATURE', `Code in S3 is not available on this server: ${why}.`, { cause })
}
