import { createHash, createHmac } from 'node:crypto'
import { canonicalRequest, signingKey } from '@hearth/shared'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** Headers of a request that is signed as AWS clients sign. */
export function signed(
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  {
    method,
    path,
    body,
    port,
    service = 'lambda'
  }: { method: string; path: string; body: string; port: number; service?: string }
): Record<string, string> {
  const at = `${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
  const day = at.slice(0, 8)
  const headers: Record<string, string> = {
    host: `127.0.0.1:${port}`,
    'x-amz-date': at,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken })
  }
  const names = Object.keys(headers).sort()
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
  const canonical = canonicalRequest({ method, rawUrl: path, headers, body: undefined }, names, sha256(body))
  const scope = `${day}/us-east-1/${service}/aws4_request`
  const text = `AWS4-HMAC-SHA256\n${at}\n${scope}\n${sha256(canonical)}`
  const signature = createHmac('sha256', signingKey(secretAccessKey, day, 'us-east-1', service))
    .update(text)
    .digest('hex')
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  }
}
