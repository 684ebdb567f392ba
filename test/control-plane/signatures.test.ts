// Signature Version 4 against what AWS publishes, and what of it is refused.
import { createHash, createHmac } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { type AccessKey, canonicalRequest, createAuthenticator, type SignedRequest, signingKey } from '@hearth/shared'
import t from 'tap'
import {
  CHUNKED,
  HEADER_VECTORS,
  PATH_VECTORS,
  QUERY_VECTORS,
  SUITE_NOW,
  SUITE_SECRET
} from '../fixtures/sigv4-suite.ts'
import { ACCOUNT, SOURCE, startControlPlane } from './support.ts'

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')

function authenticator(service: string, nowText: string, accessKeyId: string, secretAccessKey: string) {
  const principal = { arn: `arn:aws:iam::${ACCOUNT}:user/a`, userId: 'u', accountId: ACCOUNT, keyId: accessKeyId }
  const key: AccessKey = {
    accessKeyId,
    secretAccessKey,
    tokenHash: '',
    principal,
    userName: 'a',
    status: 'Active',
    expiresAt: undefined
  }
  const session = {
    roleName: 'r',
    roleArn: 'r',
    roleId: 'r',
    name: 's',
    issuedAt: 0,
    expiresAt: Number.MAX_SAFE_INTEGER
  }
  return createAuthenticator({
    keys: [key],
    region: 'us-east-1',
    accountId: ACCOUNT,
    services: [service],
    now: () => new Date(nowText),
    // The suite's token is nobody's; that the signature covers it is what is looked at.
    sessions: { open: () => ({ secretAccessKey, principal: { ...principal, session } }) },
    isRevoked: () => false
  })
}

t.test("AWS's test suite: header, normalised path and query", async (t) => {
  const auth = authenticator('service', SUITE_NOW, 'AKIDEXAMPLE', SUITE_SECRET)
  const scope = '20150830/us-east-1/service/aws4_request'
  for (const [name, method, url, headers, signature, body = '', unsigned = []] of HEADER_VECTORS) {
    const sent = [['Host', 'example.amazonaws.com'], ['X-Amz-Date', '20150830T123600Z'], ...headers] as const
    const signedHeaders = [...new Set(sent.map(([header]) => header.toLowerCase()))].sort().join(';')
    const all = [
      ...sent,
      ...unsigned,
      [
        'Authorization',
        `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`
      ] as const
    ]
    const request: SignedRequest = {
      method,
      rawUrl: url,
      // As Node has them: what came twice is joined with a blank.
      headers: Object.fromEntries(
        all.map(([header]) => [
          header.toLowerCase(),
          all
            .filter(([other]) => other.toLowerCase() === header.toLowerCase())
            .map(([, value]) => value.trim())
            .join(', ')
        ])
      ),
      rawHeaders: all.flat(),
      body: body === '' ? undefined : Buffer.from(body)
    }
    t.equal(auth.authenticate(request).keyId, 'AKIDEXAMPLE', name)
    t.throws(() => auth.authenticate({ ...request, method: 'PUT' }), { code: 'INVALID_SIGNATURE' }, name)
    // Trailing letters, upper case: another signature, though the same bytes could be read from it.
    for (const other of [`${signature}00`, `${signature}zz`, signature.toUpperCase(), signature.slice(2)]) {
      const authorization = String(request.headers['authorization']).replace(signature, other)
      const headersNow = { ...request.headers, authorization }
      t.throws(() => auth.authenticate({ ...request, headers: headersNow }), { code: 'INVALID_SIGNATURE' }, other)
    }
  }
  const key = signingKey(SUITE_SECRET, '20150830', 'us-east-1', 'service')
  for (const [name, rawUrl, signature] of PATH_VECTORS) {
    const headers = { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' }
    const request = { method: 'GET', rawUrl, headers, body: undefined }
    const canonical = canonicalRequest(request, ['host', 'x-amz-date'], sha256(''))
    const text = `AWS4-HMAC-SHA256\n20150830T123600Z\n${scope}\n${sha256(canonical)}`
    t.equal(createHmac('sha256', key).update(text).digest('hex'), signature, name)
    const authorization = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`
    const signed = { ...request, headers: { ...headers, authorization } }
    if (!rawUrl.includes('/.')) t.ok(auth.authenticate(signed), name)
    else
      t.throws(() => auth.authenticate(signed), { message: /dot segments/ }, `${name}: routes would see another path`)
  }
  for (const [name, rawUrl, headers] of QUERY_VECTORS) {
    const request = {
      method: 'GET',
      rawUrl,
      headers: { host: 'example.amazonaws.com', ...headers },
      body: undefined
    }
    t.equal(auth.authenticate(request).keyId, 'AKIDEXAMPLE', `presigned ${name}`)
    t.throws(
      () => auth.authenticate({ ...request, rawUrl: rawUrl.replace('Expires=3600', 'Expires=3601') }),
      { code: 'INVALID_SIGNATURE' },
      name
    )
  }
})

t.test('header values are what was written, in UTF-8, however Node reads them', async (t) => {
  const auth = authenticator('service', SUITE_NOW, 'AKIDEXAMPLE', SUITE_SECRET)
  const headers = { host: 'h', 'x-amz-date': '20150830T123600Z', 'x-note': 'grüße €' }
  const request = { method: 'GET', rawUrl: '/', headers, body: undefined }
  const authorization = authorize(request, 'service', SUITE_SECRET, 'AKIDEXAMPLE', sha256(''))
  const asRead = { ...headers, 'x-note': Buffer.from('grüße €').toString('latin1'), authorization }
  t.ok(auth.authenticate({ ...request, headers: asRead }))
})

/** Signs as a client does. */
function authorize(
  request: SignedRequest,
  service: string,
  secret: string,
  accessKeyId: string,
  payloadHash: string
): string {
  const at = String(request.headers['x-amz-date'])
  const names = Object.keys(request.headers).sort()
  const scope = `${at.slice(0, 8)}/us-east-1/${service}/aws4_request`
  const text = `AWS4-HMAC-SHA256\n${at}\n${scope}\n${sha256(canonicalRequest(request, names, payloadHash))}`
  const signature = createHmac('sha256', signingKey(secret, at.slice(0, 8), 'us-east-1', service))
    .update(text)
    .digest('hex')
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
}

t.test("S3's examples of chunked uploads, and what nobody signed of them", async (t) => {
  const { accessKeyId, secret, now } = CHUNKED
  const auth = authenticator('s3', now, accessKeyId, secret)
  const content = Buffer.alloc(66_560, 'a')
  const parts = [content.subarray(0, 65_536), content.subarray(65_536), Buffer.alloc(0)]
  for (const example of [CHUNKED.plain, CHUNKED.trailing]) {
    const headers = { ...CHUNKED.headers, ...example.headers, 'x-amz-content-sha256': example.payload }
    const names = Object.keys(headers).sort().join(';')
    const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20130524/us-east-1/s3/aws4_request,SignedHeaders=${names},Signature=${example.signature}`
    const chunk = (data: Buffer, i: number): Buffer =>
      Buffer.concat([
        Buffer.from(`${data.length.toString(16)};chunk-signature=${example.chunks[i]}\r\n`),
        data,
        Buffer.from(data.length === 0 ? '' : '\r\n')
      ])
    const body = Buffer.concat([...parts.map(chunk), Buffer.from(`${example.trailer}\r\n`)])
    const request = {
      method: 'PUT',
      rawUrl: '/examplebucket/chunkObject.txt',
      headers: { ...headers, authorization },
      body
    }
    const taken = { payloads: 'any' } as const
    t.ok(auth.open(request, taken).body?.equals(content), example.payload)
    t.equal(auth.authenticateHead(request, taken), undefined, 'the head is right')
    t.throws(() => auth.open(request), { code: 'INVALID_SIGNATURE' }, 'where bodies are to be signed as a whole')

    const altered = (change: (bytes: Buffer) => Buffer) => ({ ...request, body: change(Buffer.from(body)) })
    const wrong: Record<string, (bytes: Buffer) => Buffer> = {
      'another byte in a chunk': (bytes) => bytes.fill('b', 500, 501),
      'a chunk left out': (bytes) => Buffer.concat([chunk(parts[0]!, 0), bytes.subarray(bytes.indexOf('0;chunk'))]),
      'chunks in another order': () =>
        Buffer.concat([chunk(parts[1]!, 1), chunk(parts[0]!, 0), chunk(parts[2]!, 2), Buffer.from('\r\n')]),
      'the last chunk is missing': (bytes) => bytes.subarray(0, bytes.lastIndexOf('\r\n0;chunk') + 2),
      'more behind the end': (bytes) => Buffer.concat([bytes, Buffer.from('x\r\n')]),
      'a size that reaches beyond': (bytes) => Buffer.concat([Buffer.from('fffffff'), bytes.subarray(5)]),
      'no chunks at all': () => content,
      'nothing at all': () => Buffer.alloc(0)
    }
    for (const [name, change] of Object.entries(wrong)) {
      t.throws(() => auth.open(altered(change), taken), { code: /INVALID_SIGNATURE|INVALID_PAYLOAD/ }, name)
    }
    const longer = { ...request.headers, 'x-amz-decoded-content-length': '66561' }
    t.throws(() => auth.open({ ...request, headers: longer }, taken), { code: 'INVALID_SIGNATURE' })
  }
})

t.test('packages are taken with signed chunks, with a checksum behind them, and unsigned', async (t) => {
  const { app, accessKeyId, secretAccessKey } = await startControlPlane(t)
  const source = Buffer.from(SOURCE)
  const send = (url: string, headersSent: Record<string, string>, payload: Buffer, method: 'PUT' | 'POST' = 'PUT') => {
    const at = `${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
    const headers: Record<string, string> = { host: 'localhost', 'x-amz-date': at, ...headersSent }
    const hash = headersSent['x-amz-content-sha256'] ?? sha256(payload)
    const request = { method, rawUrl: url, headers, body: undefined }
    const authorization = authorize(request, 'lambda', secretAccessKey, accessKeyId, hash)
    return app.inject({ method, url, headers: { ...headers, authorization }, payload })
  }
  const unsigned = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }
  t.equal((await send('/v1/functions/unsigned.mjs', unsigned, source)).statusCode, 201)

  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32(source))
  const trailing = {
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'x-amz-decoded-content-length': String(source.length),
    'x-amz-trailer': 'x-amz-checksum-crc32',
    'content-encoding': 'aws-chunked'
  }
  const body = (checksum: string): Buffer =>
    Buffer.from(`${source.length.toString(16)}\r\n${SOURCE}\r\n0\r\nx-amz-checksum-crc32:${checksum}\r\n\r\n`)
  const stored = await send('/v1/functions/chunked.mjs', trailing, body(crc.toString('base64')))
  t.equal(stored.statusCode, 201, stored.body)
  const code = await send('/v1/functions/chunked.mjs', trailing, body('AAAAAA=='))
  t.match(code, { statusCode: 400, body: /x-amz-checksum-crc32 is not that of its bytes/ })

  // Elsewhere nothing comes in that is not signed.
  const role = { ...unsigned, 'content-type': 'application/json' }
  t.match(await send('/v1/roles/r', role, Buffer.from('{}')), { statusCode: 403, body: /INVALID_SIGNATURE/ })
  const lambda = await send('/2015-03-31/functions', unsigned, Buffer.from('{}'), 'POST')
  t.match(lambda, { statusCode: 403, headers: { 'x-amzn-errortype': 'InvalidSignatureException' } })
})

t.test("a signature is for one service, within that service's window, and for once", async (t) => {
  let now = Date.now()
  const { app, accessKeyId, secretAccessKey, inject } = await startControlPlane(t, { now: () => new Date(now) })
  const draft = (service: string, action: string, version: string, offsetMs = 0, query = '', method = 'POST') => {
    const payload = Buffer.from(method === 'GET' || query !== '' ? '' : `Action=${action}&Version=${version}`)
    const url = query === '' ? '/' : `/?Action=${action}&Version=${version}${query}`
    const at = `${new Date(now + offsetMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
    const headers = { host: 'localhost', 'x-amz-date': at }
    const request = { method, rawUrl: url, headers, body: undefined }
    const authorization = authorize(request, service, secretAccessKey, accessKeyId, sha256(payload))
    return { method: method as 'POST', url, headers: { ...headers, authorization }, payload }
  }
  const IAM = '2010-05-08'
  const STS = '2011-06-15'
  t.equal((await app.inject(draft('iam', 'ListUsers', IAM))).statusCode, 200)
  t.equal((await app.inject(draft('sts', 'GetCallerIdentity', STS))).statusCode, 200)
  for (const [service, action, version, right] of [
    ['sts', 'ListUsers', IAM, 'iam'],
    ['iam', 'GetCallerIdentity', STS, 'sts'],
    ['lambda', 'ListUsers', IAM, 'iam'],
    ['s3', 'GetCallerIdentity', STS, 'iam']
  ] as const) {
    for (const query of ['', '&a=b']) {
      const refused = await app.inject(draft(service, action, version, 0, query))
      t.match(refused, { statusCode: 403, body: /SignatureDoesNotMatch/ }, `${service} for ${action} ${query}`)
      t.ok(refused.body.includes(`Credential should be scoped to correct service: '${right}'.`), refused.body)
    }
  }
  t.match(await app.inject(draft('sts', 'ListUsers', IAM, 0, '&a=b', 'GET')), { statusCode: 403 })

  // 15 minutes for IAM and STS.
  for (const minutes of [-14, 14]) {
    t.equal((await app.inject(draft('iam', 'ListUsers', IAM, minutes * 60_000))).statusCode, 200, `${minutes} minutes`)
  }
  const old = await app.inject(draft('iam', 'ListUsers', IAM, -20 * 60_000))
  t.match(old, { statusCode: 403, body: /SignatureDoesNotMatch.*Signature expired: .* - 15 min\.\)/s })
  const early = await app.inject(draft('iam', 'ListUsers', IAM, 20 * 60_000))
  t.match(early, { statusCode: 403, body: /Signature not yet current: .* \+ 15 min\.\)/ })

  const elsewhere = draft('iam', 'ListUsers', IAM)
  const authorization = elsewhere.headers.authorization.replace('/us-east-1/', '/eu-west-1/')
  const abroad = await app.inject({ ...elsewhere, headers: { ...elsewhere.headers, authorization } })
  t.match(abroad, { statusCode: 403, body: /SignatureDoesNotMatch.*scoped to a valid region, not 'eu-west-1'/ })
  const brief = { user: 'admin', label: 'brief', expiresAt: new Date(now + 60_000).toISOString() }
  const { token } = (await inject({ method: 'POST', url: '/v1/keys', payload: brief })).json<{ token: string }>()
  const asked = { url: '/?Action=ListUsers&Version=2010-05-08', headers: { authorization: `Bearer ${token}` } }
  t.equal((await app.inject(asked)).statusCode, 200)
  now += 61_000
  t.match(await app.inject(asked), { statusCode: 403, body: /<Code>ExpiredToken<.*security token.* is expired/ })

  // Asked twice at once, the same signature comes twice; later it was taken down by somebody.
  const twice = draft('iam', 'CreateUser', `${IAM}&UserName=once`)
  t.equal((await app.inject(twice)).statusCode, 200)
  t.match(await app.inject(twice), { statusCode: 409, body: /EntityAlreadyExists/ })
  await inject({ method: 'DELETE', url: '/v1/users/once' })
  now += 6_000
  t.match(await app.inject(twice), { statusCode: 403, body: /Signature has been used before/ })
  const read = draft('iam', 'ListUsers', IAM, 0, '&a=b', 'GET')
  t.equal((await app.inject(read)).statusCode, 200)
  now += 6_000
  t.equal((await app.inject(read)).statusCode, 200, 'what only reads may be asked again')
  now += 16 * 60_000
  t.match(await app.inject(read), { statusCode: 403, body: /Signature expired/ }, 'until it is too old')
})
