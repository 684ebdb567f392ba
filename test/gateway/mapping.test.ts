import { isTextBody, toUrlEvent, toUrlResponse, type UrlRequest } from '@hearth/gateway'
import { describeJsonFault, JsonCheck } from '@hearth/shared'
import t from 'tap'

const PRINCIPAL = {
  arn: 'arn:aws:iam::123456789012:user/example-user',
  userId: 'AIDACKCEVSQ6C2EXAMPLE',
  accountId: '123456789012',
  keyId: 'AKIAIOSFODNN7EXAMPLE'
}
const URL_ID = 'a3k7xexample2qzvv5nfo3s7he0lzqkw'

const REQUEST: UrlRequest = {
  method: 'POST',
  rawPath: '/my/path',
  rawQuery: 'q=1&q=2',
  httpVersion: '1.1',
  rawHeaders: [
    ...['Accept', '*/*', 'Content-Length', '14', 'Content-Type', 'application/json'],
    ...['Host', `${URL_ID}.lambda-url.us-east-1.on.aws`, 'User-Agent', 'curl/8.5.0'],
    ...['Cookie', 'cookie1=v1; cookie2=v2']
  ],
  body: Buffer.from('{"foo": "bar"}'),
  sourceIp: '203.0.113.17',
  port: 8080,
  requestId: 'e1506fd5-9e7b-434f-bd42-4f8fa224b599',
  traceId: 'Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e',
  apiId: URL_ID,
  domainName: `${URL_ID}.lambda-url.us-east-1.on.aws`,
  domainPrefix: URL_ID,
  authorization: false,
  principal: PRINCIPAL,
  at: 1_764_025_865_123
}

interface Event {
  headers: Record<string, string>
  cookies?: string[]
  queryStringParameters?: Record<string, string>
  rawPath: string
  rawQueryString: string
  body?: string
  isBase64Encoded: boolean
  requestContext: { http: { path: string } }
}
const eventOf = (changes: Partial<UrlRequest>) => JSON.parse(toUrlEvent({ ...REQUEST, ...changes })) as Event

t.test('a request becomes the event that AWS gives for the same request', async (t) => {
  // AWS's own example of a URL with IAM authentication, but for what is different here: no TLS, no organisation.
  t.same(eventOf({}), {
    version: '2.0',
    routeKey: '$default',
    rawPath: '/my/path',
    rawQueryString: 'q=1&q=2',
    cookies: ['cookie1=v1', 'cookie2=v2'],
    headers: {
      accept: '*/*',
      'content-length': '14',
      'content-type': 'application/json',
      host: `${URL_ID}.lambda-url.us-east-1.on.aws`,
      'user-agent': 'curl/8.5.0',
      'x-amzn-trace-id': 'Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e',
      'x-forwarded-for': '203.0.113.17',
      'x-forwarded-port': '8080',
      'x-forwarded-proto': 'http'
    },
    queryStringParameters: { q: '1,2' },
    requestContext: {
      accountId: '123456789012',
      apiId: URL_ID,
      domainName: `${URL_ID}.lambda-url.us-east-1.on.aws`,
      domainPrefix: URL_ID,
      http: {
        method: 'POST',
        path: '/my/path',
        protocol: 'HTTP/1.1',
        sourceIp: '203.0.113.17',
        userAgent: 'curl/8.5.0'
      },
      requestId: 'e1506fd5-9e7b-434f-bd42-4f8fa224b599',
      routeKey: '$default',
      stage: '$default',
      time: '24/Nov/2025:23:11:05 +0000',
      timeEpoch: 1_764_025_865_123,
      authorizer: {
        iam: {
          accessKey: 'AKIAIOSFODNN7EXAMPLE',
          accountId: '123456789012',
          callerId: 'AIDACKCEVSQ6C2EXAMPLE',
          cognitoIdentity: null,
          principalOrgId: null,
          userArn: 'arn:aws:iam::123456789012:user/example-user',
          userId: 'AIDACKCEVSQ6C2EXAMPLE'
        }
      }
    },
    body: '{"foo": "bar"}',
    isBase64Encoded: false
  })
})

t.test('an event leaves out what is empty, joins what is repeated and keeps escapes', async (t) => {
  const bare = eventOf({ rawHeaders: ['Host', 'h:1'], rawQuery: '', body: Buffer.alloc(0), method: 'GET' })
  for (const key of ['cookies', 'queryStringParameters', 'body']) t.notOk(key in bare, `no ${key}`)
  t.equal(bare.isBase64Encoded, false)

  const full = eventOf({
    rawHeaders: ['Host', 'h:1', 'X-A', '1', 'x-a', '2', '__proto__', 'p', 'Cookie', 'a=1', 'Cookie', 'b=2; c=3'],
    rawQuery: 'a=%C3%A9&a=x+y&__proto__=1&flag',
    rawPath: '/pa2%2Fth/%C3%A9'
  })
  t.equal(full.headers['x-a'], '1,2')
  t.ok(Object.hasOwn(full.headers, '__proto__'), 'a header of that name is one like any other')
  t.same(full.cookies, ['a=1', 'b=2', 'c=3'])
  t.equal(full.queryStringParameters?.['a'], 'é,x y')
  t.equal(full.queryStringParameters?.['flag'], '')
  t.equal(full.rawQueryString, 'a=%C3%A9&a=x+y&__proto__=1&flag')
  t.equal(full.rawPath, '/pa2%2Fth/%C3%A9')
  t.equal(full.requestContext.http.path, '/pa2/th/é')
  t.equal(eventOf({ rawPath: '/%zz' }).requestContext.http.path, '/%zz')
})

t.test('a function does not get its caller’s key, nor what a client claims about the connection', async (t) => {
  const { headers } = eventOf({
    rawHeaders: [
      ...['Host', 'h', 'Authorization', 'Bearer secret', 'Proxy-Authorization', 'x', 'X-Amz-Security-Token', 's'],
      ...[
        'X-Forwarded-For',
        '6.6.6.6',
        'X-Forwarded-Proto',
        'https',
        'X-Amzn-Trace-Id',
        'forged',
        'X-Amzn-Tls-Version',
        'x'
      ],
      ...['Connection', 'keep-alive', 'Transfer-Encoding', 'chunked']
    ]
  })
  t.same(headers, {
    host: 'h',
    'x-amzn-trace-id': REQUEST.traceId,
    'x-forwarded-for': '203.0.113.17',
    'x-forwarded-port': '8080',
    'x-forwarded-proto': 'http'
  })
})

t.test('text goes into an event as it is, all else as base64', async (t) => {
  const invalid = Buffer.from([0x7b, 0xff, 0x7d])
  const cases: [string | undefined, string | undefined, string | Buffer, boolean][] = [
    ['application/json', undefined, '{}', true],
    ['application/json; charset=utf-8', undefined, '{}', true],
    ['text/html', undefined, '<p>é', true],
    ['application/xml', undefined, '<a/>', true],
    ['application/javascript', undefined, '1', true],
    ['application/problem+json', undefined, '{}', true],
    ['image/svg+xml', undefined, '<a/>', false],
    ['application/octet-stream', undefined, 'abc', false],
    ['multipart/form-data; boundary=x', undefined, '--x', false],
    [undefined, undefined, '{}', false],
    ['application/json', 'gzip', '{}', false],
    ['application/json', 'identity', '{}', true],
    ['application/json', undefined, invalid, false],
    ['application/x-www-form-urlencoded', undefined, 'a=1&b=2', false],
    ['application/x-www-form-urlencoded', undefined, '{"name":"Ada"}', true],
    ['application/x-www-form-urlencoded', undefined, '[1]', true],
    ['application/x-www-form-urlencoded', undefined, '{"name"', false],
    ['application/x-www-form-urlencoded', undefined, '1', false],
    ['application/x-www-form-urlencoded', undefined, invalid, false]
  ]
  for (const [type, encoding, body, expected] of cases) {
    t.equal(
      isTextBody(type, encoding, Buffer.from(body as string)),
      expected,
      `${type} ${encoding ?? ''} ${String(body)}`
    )
  }
  const binary = eventOf({ rawHeaders: ['Host', 'h', 'Content-Type', 'image/png'], body: Buffer.from([0, 255]) })
  t.match(binary, { body: 'AP8=', isBase64Encoded: true })
})

t.test('an answer with a status code describes the response', async (t) => {
  const json = ['content-type', 'application/json']
  const cases: [unknown, number, string[], string][] = [
    [
      {
        statusCode: 201,
        headers: { 'Content-Type': 'application/json', 'My-Custom-Header': 'Custom Value' },
        body: '{ "message": "Hello, world!" }',
        cookies: ['Cookie_1=Value1; Expires=21 Oct 2026 07:48 GMT', 'Cookie_2=Value2; Max-Age=78000'],
        isBase64Encoded: false
      },
      201,
      [
        ...json,
        ...['my-custom-header', 'Custom Value', 'set-cookie', 'Cookie_1=Value1; Expires=21 Oct 2026 07:48 GMT'],
        ...['set-cookie', 'Cookie_2=Value2; Max-Age=78000']
      ],
      '{ "message": "Hello, world!" }'
    ],
    [{ statusCode: '404' }, 404, json, ''],
    [{ statusCode: 200, body: { a: 1 } }, 200, json, '{"a":1}'],
    [{ statusCode: 200, body: 'aGk=', isBase64Encoded: true }, 200, json, 'hi'],
    [
      { statusCode: 200, headers: { 'x-n': 1, 'x-b': true, 'x-null': null, 'x-l': ['a', 'b'] } },
      200,
      ['x-n', '1', 'x-b', 'true', 'x-l', 'a,b', ...json],
      ''
    ],
    [
      {
        statusCode: 200,
        headers: { Connection: 'upgrade', 'Transfer-Encoding': 'x', 'content-length': '9', 'x-amzn-RequestId': 'x' }
      },
      200,
      json,
      ''
    ]
  ]
  for (const [answer, status, headers, body] of cases) {
    const response = toUrlResponse(Buffer.from(JSON.stringify(answer)))
    t.equal(response?.status, status)
    t.same(response?.headers, headers)
    t.equal(String(response?.body), body)
  }
})

t.test('any other answer is the body', async (t) => {
  for (const [payload, body] of [
    ['{"message":"Hello Ada"}', '{"message":"Hello Ada"}'],
    ['"hello"', 'hello'],
    ['42', '42'],
    ['null', 'null'],
    ['[1, 2]', '[1, 2]']
  ] as const) {
    const response = toUrlResponse(Buffer.from(payload))
    t.match(response, { status: 200, headers: ['content-type', 'application/json'] })
    t.equal(String(response?.body), body)
  }
})

t.test('an answer that describes no possible response is none', async (t) => {
  for (const answer of [
    { statusCode: 99 },
    { statusCode: 101 },
    { statusCode: 600 },
    { statusCode: 'abc' },
    { statusCode: 200.5 },
    { statusCode: null },
    { statusCode: 200, headers: 'x' },
    { statusCode: 200, headers: { 'x-a': 'a\r\nset-cookie: b' } },
    { statusCode: 200, headers: { 'x a': 'a' } },
    { statusCode: 200, headers: { 'x-a': { b: 1 } } },
    { statusCode: 200, cookies: 'a=1' },
    { statusCode: 200, cookies: ['a=1\r\nx: y'] },
    { statusCode: 200, body: 'x', isBase64Encoded: 'yes' }
  ]) {
    t.equal(toUrlResponse(Buffer.from(JSON.stringify(answer))), undefined, JSON.stringify(answer))
  }
  t.equal(toUrlResponse(Buffer.from('not json')), undefined)
})

t.test('the JSON check agrees with JSON.parse, however the bytes are cut', async (t) => {
  const seeds = [
    ...[
      '',
      ' ',
      '{}',
      '[]',
      'null',
      'true',
      'false',
      'nul',
      'truee',
      '0',
      '-0',
      '01',
      '1.5e+10',
      '1.',
      '.5',
      '-',
      '1e',
      '1e5x'
    ],
    ...[
      '"a"',
      '"\\u00e9\\n"',
      '"\\x"',
      '"\\u12g4"',
      '"\t"',
      '"',
      '{"a":1,"b":[true,{"c":null}]}',
      '{"a":1,}',
      '[1,]',
      '[,1]'
    ],
    ...[
      '{"a"}',
      '{a:1}',
      '{"a":1 "b":2}',
      '[1 2]',
      '1 2',
      '{}{}',
      '[}',
      '{]',
      ']',
      ' \n\r\t[ 1 , 2 ] ',
      '\ufeff{}',
      '{"é":"日本"}'
    ],
    ...[
      '{"a":{"b":{"c":[[[]]]}}}',
      '"\\"',
      '"\\\\"',
      '[1.5,-2e-3,"x",null]',
      'NaN',
      'Infinity',
      "'a'",
      '{"__proto__":1}'
    ]
  ]
  // Each seed also with one byte taken out, doubled or replaced, at every place: the edges of the grammar.
  const alphabet = '{}[]",:\\u0123e+-. tn'
  const texts = new Set(seeds)
  for (const seed of seeds) {
    for (let i = 0; i < seed.length; i++) {
      texts.add(seed.slice(0, i) + seed.slice(i + 1))
      for (const char of alphabet) texts.add(seed.slice(0, i) + char + seed.slice(i + 1))
    }
  }
  const check = new JsonCheck()
  const wrong: string[] = []
  for (const text of texts) {
    let expected = true
    try {
      JSON.parse(text)
    } catch {
      expected = false
    }
    const bytes = Buffer.from(text)
    for (const cut of [bytes.length, 1, Math.floor(bytes.length / 2)]) {
      check.reset()
      let at = check.push(bytes.subarray(0, cut))
      if (at === -1) at = check.push(bytes.subarray(cut))
      if (at === -1) at = check.end()
      if ((at === -1) !== expected) wrong.push(`${JSON.stringify(text)} cut at ${cut}`)
    }
  }
  t.ok(texts.size > 5_000, `${texts.size} texts`)
  t.same(wrong, [])
  check.reset()
  t.equal(check.push(Buffer.from('['.repeat(1_001))), 1_000, 'nesting is bounded')
})

t.test('a fault in JSON is told by line and column', async (t) => {
  const text = Buffer.from('{\n  "a": x\n}')
  const check = new JsonCheck()
  check.reset()
  t.equal(
    describeJsonFault(text, check.push(text)),
    "Unexpected character ('x' (code 120))\n at [Source: REDACTED; line: 2, column: 8]"
  )
  t.match(describeJsonFault(Buffer.from('{'), 1), 'Unexpected end-of-input')
})
