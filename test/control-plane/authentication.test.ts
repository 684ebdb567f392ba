import { createHash, createHmac, randomBytes, randomInt } from 'node:crypto'
import { type AccessKey, canonicalRequest, createAuthenticator, type SignedRequest, signingKey } from '@hearth/shared'
import { SignatureV4 } from '@smithy/signature-v4'
import t from 'tap'
import { ACCOUNT, REGION, ROLE, SOURCE, startControlPlane, zipOf } from './support.ts'

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const NOW = new Date('2026-01-02T03:04:05.000Z')
const TOKEN = `hearth_${'t'.repeat(43)}`
const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')

function accessKey(more: Partial<AccessKey> = {}): AccessKey {
  return {
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: SECRET,
    tokenHash: sha256(TOKEN),
    principal: { arn: `arn:aws:iam::${ACCOUNT}:user/a`, userId: 'u', accountId: ACCOUNT, keyId: 'AKIDEXAMPLE' },
    userName: 'a',
    status: 'Active',
    expiresAt: undefined,
    ...more
  }
}

const authenticator = (keys: readonly AccessKey[] = [accessKey()], now = NOW) =>
  createAuthenticator({ keys, region: REGION, accountId: ACCOUNT, now: () => now })

/** Signs as AWS's own client library does. */
class Sha256 {
  readonly #hash
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', Buffer.from(secret as never))
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof data === 'string' ? data : Buffer.from(data as never))
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
  reset(): void {}
}

interface Draft {
  readonly method: string
  readonly path: string
  readonly query?: Record<string, string | string[]>
  readonly headers?: Record<string, string>
  readonly body?: Buffer
}

const signer = (secretAccessKey: string, service = 'lambda', region = REGION, applyChecksum = true) =>
  new SignatureV4({
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey },
    region,
    service,
    sha256: Sha256,
    applyChecksum
  })

function wireUrl(path: string, query: Record<string, string | string[] | null> | undefined): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? '']).map(
      (one) => `${encodeURIComponent(name)}=${encodeURIComponent(one)}`
    )
  )
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`
}

async function sign(draft: Draft, by = signer(SECRET), at = NOW): Promise<SignedRequest> {
  const signed = await by.sign(
    {
      method: draft.method,
      protocol: 'http:',
      hostname: 'localhost',
      port: 8080,
      path: draft.path,
      query: draft.query ?? {},
      headers: { host: 'localhost:8080', ...draft.headers },
      body: draft.body
    },
    { signingDate: at }
  )
  return {
    method: draft.method,
    rawUrl: wireUrl(draft.path, signed.query),
    headers: Object.fromEntries(Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: draft.body
  }
}

t.test("AWS's own vectors come out", async (t) => {
  t.equal(
    signingKey(SECRET, '20150830', 'us-east-1', 'iam').toString('hex'),
    'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9'
  )
  const listUsers: SignedRequest = {
    method: 'GET',
    rawUrl: '/?Action=ListUsers&Version=2010-05-08',
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      host: 'iam.amazonaws.com',
      'x-amz-date': '20150830T123600Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7'
    },
    body: undefined
  }
  t.equal(
    sha256(canonicalRequest(listUsers, ['content-type', 'host', 'x-amz-date'], sha256(''))),
    'f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59'
  )
  const iam = createAuthenticator({
    keys: [accessKey()],
    region: 'us-east-1',
    accountId: ACCOUNT,
    services: ['iam'],
    now: () => new Date('2015-08-30T12:36:00Z')
  })
  t.equal(iam.authenticate(listUsers).keyId, 'AKIDEXAMPLE')

  const invoke: SignedRequest = {
    method: 'POST',
    rawUrl:
      '/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af/invocations?Qualifier=v1',
    headers: {
      'content-type': 'application/json',
      host: 'lambda.us-east-1.amazonaws.com',
      'x-amz-content-sha256': '015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862',
      'x-amz-date': '20260102T030405Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/lambda/aws4_request,SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date,Signature=53a24e78221525b36fa360d143464178e7bc01b5311cde7cc34fb6b52ed7f36c'
    },
    body: Buffer.from('{"a":1}')
  }
  t.equal(
    signingKey(SECRET, '20260102', 'us-east-1', 'lambda').toString('hex'),
    'd9c327e5b20a537e07eac08fff31e24f62d893fc004950b3f6dd6806b238b72b'
  )
  t.equal(authenticator().authenticate(invoke).keyId, 'AKIDEXAMPLE')
  t.equal(authenticator().authenticateHead(invoke), undefined, 'the body is still to come')
})

t.test("random requests that AWS's client library signed are known, in both forms", async (t) => {
  const auth = authenticator()
  const letters = 'abcXYZ019-_.~ /+=&?%:;,@!$\'()*#äß€😀"<>[]{}|\\^`'
  const text = (max: number): string =>
    Array.from({ length: randomInt(1, max) }, () => [...letters][randomInt([...letters].length)]).join('')
  for (let turn = 0; turn < 200; turn += 1) {
    const segments = Array.from({ length: randomInt(1, 5) }, () => encodeURIComponent(`a${text(12)}`))
    const draft: Draft = {
      method: ['GET', 'POST', 'PUT', 'DELETE'][turn % 4] ?? 'GET',
      path: `/${segments.join('/')}${turn % 5 === 0 ? '/' : ''}`,
      query: Object.fromEntries(
        Array.from({ length: randomInt(0, 4) }, () => [text(8), turn % 3 === 0 ? [text(8), text(8)] : text(8)])
      ),
      headers: { 'x-amz-meta': `  a   b${turn}  `, 'content-type': 'application/json' },
      body: randomBytes(randomInt(0, 64))
    }
    const request = await sign(draft, signer(SECRET, 'lambda', REGION, turn % 2 === 0))
    t.equal(auth.authenticate(request).keyId, 'AKIDEXAMPLE', `${draft.method} ${request.rawUrl}`)
  }
  for (let turn = 0; turn < 50; turn += 1) {
    // Not a segment of dots: those are refused.
    const path = `/${encodeURIComponent(`a${text(12)}`)}`
    const presigned = await signer(SECRET).presign(
      {
        method: 'GET',
        protocol: 'http:',
        hostname: 'localhost',
        path,
        query: { q: text(6) },
        headers: { host: 'localhost:8080' }
      },
      { signingDate: NOW, expiresIn: 60 }
    )
    const request = {
      method: 'GET',
      rawUrl: wireUrl(path, presigned.query),
      headers: { host: 'localhost:8080' },
      body: undefined
    }
    t.equal(auth.authenticate(request).keyId, 'AKIDEXAMPLE', request.rawUrl)
    const late = authenticator([accessKey()], new Date(NOW.getTime() + 61_000))
    t.throws(() => late.authenticate(request), { code: 'INVALID_SIGNATURE', message: /Signature expired/ })
  }
})

t.test('a signature is worth nothing for any other request', async (t) => {
  const auth = authenticator()
  const good = await sign({
    method: 'POST',
    path: '/2015-03-31/functions/f/invocations',
    query: { Qualifier: '1' },
    headers: { 'x-amz-meta': 'a' },
    body: Buffer.from('{"a":1}')
  })
  const header = (name: string, value: string | undefined): SignedRequest => ({
    ...good,
    headers: { ...good.headers, [name]: value }
  })
  const authorization = String(good.headers['authorization'])
  const cases: readonly (readonly [string, SignedRequest])[] = [
    ['method', { ...good, method: 'PUT' }],
    ['path', { ...good, rawUrl: good.rawUrl.replace('/f/', '/g/') }],
    ['query value', { ...good, rawUrl: good.rawUrl.replace('=1', '=2') }],
    ['one more parameter', { ...good, rawUrl: `${good.rawUrl}&x=1` }],
    ['query left out', { ...good, rawUrl: good.rawUrl.split('?')[0] ?? '' }],
    ['body', { ...good, body: Buffer.from('{"a":2}') }],
    ['no body', { ...good, body: undefined }],
    ['body and its hash', { ...header('x-amz-content-sha256', sha256('{"a":2}')), body: Buffer.from('{"a":2}') }],
    ['unsigned payload', header('x-amz-content-sha256', 'UNSIGNED-PAYLOAD')],
    ['streaming payload', header('x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD')],
    ['host', header('host', 'localhost:8081')],
    ['signed header', header('x-amz-meta', 'b')],
    ['date within the window', header('x-amz-date', '20260102T030406Z')],
    [
      'signature',
      header(
        'authorization',
        authorization.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
      )
    ],
    ['short signature', header('authorization', authorization.slice(0, -2))],
    [
      'signature that is no hex',
      header('authorization', authorization.replace(/Signature=.*/, `Signature=${'z'.repeat(64)}`))
    ]
  ]
  t.ok(auth.authenticate(good))
  for (const [name, request] of cases) t.throws(() => auth.authenticate(request), { code: 'INVALID_SIGNATURE' }, name)
  const otherSecret = await sign({ method: 'GET', path: '/' }, signer(`${SECRET}x`))
  t.throws(() => auth.authenticate(otherSecret), {
    code: 'INVALID_SIGNATURE',
    message: /does not match the signature you provided/
  })
  t.throws(
    () => auth.authenticateHead(otherSecret),
    { code: 'INVALID_SIGNATURE' },
    'seen before the body is read, as its hash is signed'
  )
})

t.test("checks come in AWS's order, with AWS's sentences", async (t) => {
  const auth = authenticator()
  const good = await sign({ method: 'GET', path: '/' })
  const authorization = String(good.headers['authorization'])
  const withAuth = (value: string, more: Record<string, string | undefined> = {}): SignedRequest => ({
    ...good,
    headers: { ...good.headers, authorization: value, ...more }
  })
  const scoped = (scope: string): string => authorization.replace(/Credential=[^,]+/, `Credential=${scope}`)
  const cases: readonly (readonly [SignedRequest, string, string | RegExp])[] = [
    [{ ...good, headers: { host: 'x' } }, 'UNAUTHENTICATED', /A key is needed/],
    [withAuth('Basic YTpi'), 'UNAUTHENTICATED', /A key is needed/],
    [
      withAuth('AWS4-HMAC-SHA256'),
      'INCOMPLETE_SIGNATURE',
      /^Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. \(Hashed/
    ],
    [
      withAuth(authorization, { 'x-amz-date': undefined }),
      'INCOMPLETE_SIGNATURE',
      /requires existence of either a 'X-Amz-Date' or a 'Date' header/
    ],
    [
      withAuth(authorization, { 'x-amz-date': '2026-01-02' }),
      'INCOMPLETE_SIGNATURE',
      "Date must be in ISO-8601 'basic format'. Got '2026-01-02'. See http://en.wikipedia.org/wiki/ISO_8601"
    ],
    [
      withAuth(authorization, { 'x-amz-date': '20260102T025904Z' }),
      'INVALID_SIGNATURE',
      'Signature expired: 20260102T025904Z is now earlier than 20260102T025905Z (20260102T030405Z - 5 min.)'
    ],
    [
      withAuth(authorization, { 'x-amz-date': '20260102T030906Z' }),
      'INVALID_SIGNATURE',
      'Signature not yet current: 20260102T030906Z is still later than 20260102T030905Z (20260102T030405Z + 5 min.)'
    ],
    [
      withAuth(authorization.replace('host;', '')),
      'INVALID_SIGNATURE',
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    ],
    [
      withAuth(authorization.replace('AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA512')),
      'INCOMPLETE_SIGNATURE',
      "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512' (only AWS4-HMAC-SHA256 for now). "
    ],
    [
      withAuth(scoped('a/b/c')),
      'INCOMPLETE_SIGNATURE',
      "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b/c'"
    ],
    [
      withAuth(scoped('AKIDEXAMPLE/20260103/mars/s3/aws5')),
      'INVALID_SIGNATURE',
      "Credential should be scoped to a valid region, not 'mars'. Credential should be scoped to correct service: 'lambda'. Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'. Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260103' != '20260102', from '20260102T030405Z'."
    ],
    [
      withAuth(scoped('AKIDOTHER/20260102/us-east-1/lambda/aws4_request')),
      'INVALID_CREDENTIALS',
      'The security token included in the request is invalid.'
    ],
    [
      { ...good, rawUrl: '/?X-Amz-Signature=00', headers: { host: 'x' } },
      'INCOMPLETE_SIGNATURE',
      /must include 'X-Amz-Algorithm'/
    ]
  ]
  for (const [request, code, message] of cases)
    t.throws(() => auth.authenticate(request), { code, message }, String(message))
  const temporary = new SignatureV4({
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET, sessionToken: 'x' },
    region: REGION,
    service: 'lambda',
    sha256: Sha256
  })
  const withToken = await sign({ method: 'GET', path: '/' }, temporary)
  t.throws(() => auth.authenticate(withToken), { code: 'INVALID_CREDENTIALS' }, 'a session token of no session')
  for (const offset of [-299_000, 0, 299_000]) {
    t.ok(
      auth.authenticate(await sign({ method: 'GET', path: '/' }, signer(SECRET), new Date(NOW.getTime() + offset))),
      `a clock that is ${offset} ms off`
    )
  }
  const byDate = await sign({ method: 'GET', path: '/' })
  t.throws(
    () =>
      auth.authenticate({
        ...byDate,
        headers: { ...byDate.headers, 'x-amz-date': undefined, date: NOW.toUTCString() }
      }),
    { code: 'INVALID_SIGNATURE' },
    'Date is read in place of X-Amz-Date'
  )
})

t.test('Bearer keys are known at once, and forgotten with the key', async (t) => {
  const auth = authenticator()
  const request = (authorization: string) => ({
    method: 'GET',
    rawUrl: '/',
    headers: { authorization },
    body: undefined
  })
  t.equal(auth.authenticate(request(`Bearer ${TOKEN}`)).keyId, 'AKIDEXAMPLE')
  t.equal(auth.authenticate(request(`bearer  ${TOKEN}`)).keyId, 'AKIDEXAMPLE')
  for (const wrong of ['Bearer ', `Bearer ${TOKEN}x`, `Bearer ${sha256(TOKEN)}`, `Bearer ${TOKEN.toUpperCase()}`]) {
    t.throws(() => auth.authenticate(request(wrong)), { code: 'INVALID_CREDENTIALS' }, wrong)
  }
  auth.setKeys([accessKey({ status: 'Inactive' })])
  t.throws(() => auth.authenticate(request(`Bearer ${TOKEN}`)), { code: 'INVALID_CREDENTIALS' }, 'an inactive key')
  t.throws(() => auth.authenticate({ ...request('x'), headers: {} }), { code: 'UNAUTHENTICATED' })
  auth.setKeys([])
  t.throws(() => auth.authenticate(request(`Bearer ${TOKEN}`)), { code: 'INVALID_CREDENTIALS' })
  auth.setKeys([accessKey({ principal: { ...accessKey().principal, accountId: '111111111111' } })])
  t.throws(() => auth.authenticate(request(`Bearer ${TOKEN}`)), { code: 'INVALID_CREDENTIALS' }, 'of another account')
  const signed = await sign({ method: 'GET', path: '/' })
  auth.setKeys([accessKey()])
  t.ok(auth.authenticate(signed))
  auth.setKeys([accessKey({ secretAccessKey: 'another' })])
  t.throws(() => auth.authenticate(signed), { code: 'INVALID_SIGNATURE' }, 'a derived key does not outlive its secret')
})

t.test('every route but the named ones refuses a caller without a key', async (t) => {
  const { app, inject } = await startControlPlane(t)
  const OPEN = new Set(['/healthz', '/readyz', '/startupz', '/openapi.json'])
  const seen = new Set<string>()
  for (const { url, method } of listRoutes(app.printRoutes({ commonPrefix: false }))) {
    seen.add(`${method} ${url}`)
    const target = url.replace(':name', 'f').replace('*', 'x')
    const open = OPEN.has(url) || url === '/docs' || url.startsWith('/docs/')
    const res = await app.inject({ method: method as 'GET', url: target })
    if (open) t.notOk([401, 403].includes(res.statusCode), `${method} ${url} is open`)
    else t.ok([401, 403].includes(res.statusCode), `${method} ${url} refuses with ${res.statusCode}`)
    const wrong = await app.inject({
      method: method as 'GET',
      url: target,
      headers: { authorization: 'Bearer hearth_wrong' }
    })
    if (!open) t.ok([401, 403].includes(wrong.statusCode), `${method} ${url} refuses a wrong key`)
  }
  for (const expected of [
    'PUT /v1/functions/:name',
    'POST /2015-03-31/functions',
    'GET /metrics',
    'GET /v1/functions/:name/code'
  ]) {
    t.ok(seen.has(expected), `${expected} was among them`)
  }
  t.equal((await app.inject('/no/such/route')).statusCode, 401, 'no route: not even that is told')
  t.equal((await inject({ method: 'GET', url: '/no/such/route' })).statusCode, 404)
})

/** The route table as Fastify prints it: a tree, one path part per line. */
function listRoutes(tree: string): readonly { url: string; method: string }[] {
  const parts: string[] = []
  const routes: { url: string; method: string }[] = []
  for (const line of tree.split('\n')) {
    const match = /^(.*?)[├└]── (\S*)(?: \(([A-Z, ]+)\))?/.exec(line)
    if (match === null) continue
    const depth = (match[1] ?? '').length / 4
    parts.length = depth
    parts[depth] = match[2] ?? ''
    for (const method of (match[3] ?? '').split(', ').filter((name) => name !== ''))
      routes.push({ url: parts.join(''), method })
  }
  return routes
}

t.test('signed calls work end to end, and a stranger cannot make the server read a body', async (t) => {
  const { app, accessKeyId, secretAccessKey, token } = await startControlPlane(t)
  const by = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey },
    region: REGION,
    service: 'lambda',
    sha256: Sha256
  })
  const call = async (method: 'GET' | 'POST', path: string, body?: Buffer, tamper?: Buffer) => {
    const { headers } = await sign(
      { method, path, headers: { 'content-type': 'application/json' }, ...(body === undefined ? {} : { body }) },
      by,
      new Date()
    )
    return app.inject({
      method,
      url: path,
      headers: headers as Record<string, string>,
      ...(body === undefined ? {} : { payload: tamper ?? body })
    })
  }
  const request = Buffer.from(
    JSON.stringify({
      FunctionName: 'f',
      Role: ROLE,
      Runtime: 'nodejs20.x',
      Handler: 'index.handler',
      Code: { ZipFile: (await zipOf({ 'index.mjs': SOURCE })).toString('base64') }
    })
  )
  const swapped = await call(
    'POST',
    '/2015-03-31/functions',
    request,
    Buffer.from(request.toString().replace('index.handler', 'other.handler'))
  )
  t.equal(swapped.statusCode, 403)
  t.equal(swapped.headers['x-amzn-errortype'], 'InvalidSignatureException')
  const made = await call('POST', '/2015-03-31/functions', request)
  t.equal(made.statusCode, 201, made.body)
  t.equal((await call('GET', '/v1/functions/f')).statusCode, 200, 'on both dialects')

  const refused = await app.inject({ method: 'PUT', url: '/v1/functions/g', payload: SOURCE })
  t.match(refused, {
    statusCode: 401,
    headers: { 'www-authenticate': /Bearer/, 'content-type': 'application/problem+json' }
  })
  t.match(refused.json(), { code: 'UNAUTHENTICATED', requestId: String })
  const aws = await app.inject('/2015-03-31/functions')
  t.match(aws, { statusCode: 403, headers: { 'x-amzn-errortype': 'MissingAuthenticationTokenException' } })
  t.strictSame(aws.json(), { Type: 'User', message: 'Missing Authentication Token' })
  const wrong = await app.inject({ url: '/2015-03-31/functions', headers: { authorization: 'Bearer x' } })
  t.match(wrong, { statusCode: 403, headers: { 'x-amzn-errortype': 'UnrecognizedClientException' } })

  const metrics = await app.inject({ url: '/metrics', headers: { authorization: `Bearer ${token}` } })
  t.match(metrics.body, /hearth_auth_failures_total\{reason="missing"\} 2/)
  t.match(metrics.body, /hearth_auth_failures_total\{reason="bad_signature"\} 1/)
  t.match(metrics.body, /hearth_functions 1/)
})
