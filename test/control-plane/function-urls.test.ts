import {
  CreateFunctionUrlConfigCommand,
  DeleteFunctionUrlConfigCommand,
  GetFunctionUrlConfigCommand,
  ListFunctionUrlConfigsCommand,
  ResourceConflictException,
  ResourceNotFoundException,
  UpdateFunctionUrlConfigCommand
} from '@aws-sdk/client-lambda'
import t, { type Test } from 'tap'
import { listenWithClient } from './client.ts'
import { ARN, SOURCE, startControlPlane } from './support.ts'

async function start(t: Test) {
  const plane = await startControlPlane(t)
  await plane.put('hello', SOURCE)
  const call = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) =>
    plane.inject({ method, url, ...(payload === undefined ? {} : { payload }) })
  return {
    ...plane,
    call,
    /** `…/functions/hello/url` of the AWS API. */
    url: (method: 'GET' | 'POST' | 'PUT' | 'DELETE', payload?: object, target = 'hello/url') =>
      call(method, `/2021-10-31/functions/${target}`, payload)
  }
}

t.test("AWS's client makes, reads, changes, lists and deletes a function URL", async (t) => {
  const plane = await start(t)
  const { port, client } = await listenWithClient(t, plane, { maxAttempts: 1 })
  const FunctionName = 'hello'
  const created = await client.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: 'NONE' }))
  t.match(created, {
    $metadata: { httpStatusCode: 201 },
    FunctionUrl: new RegExp(`^http://[a-z0-9]{32}\\.lambda-url\\.localhost:${port}/$`),
    FunctionArn: `${ARN}:function:hello`,
    AuthType: 'NONE',
    CreationTime: /^\d{4}-\d\d-\d\dT/
  })
  for (const member of ['Cors', 'InvokeMode', 'LastModifiedTime']) t.notOk(member in created, member)
  const again = client.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: 'AWS_IAM' }))
  await t.rejects(again, ResourceConflictException)

  const { FunctionUrl } = created
  const Cors = { AllowOrigins: ['https://a.example'], AllowMethods: ['GET'], AllowCredentials: false, MaxAge: 0 }
  const changed = await client.send(
    new UpdateFunctionUrlConfigCommand({ FunctionName, AuthType: 'AWS_IAM', Cors, InvokeMode: 'RESPONSE_STREAM' })
  )
  const now = { FunctionUrl, AuthType: 'AWS_IAM', Cors, InvokeMode: 'RESPONSE_STREAM', LastModifiedTime: String }
  t.match(changed, now)
  await client.send(new UpdateFunctionUrlConfigCommand({ FunctionName: `${ARN}:function:hello` }))
  t.match(await client.send(new GetFunctionUrlConfigCommand({ FunctionName })), now, 'what is not sent stays')
  const emptied = await client.send(new UpdateFunctionUrlConfigCommand({ FunctionName, Cors: {} }))
  t.notOk('Cors' in emptied)
  const { FunctionUrlConfigs } = await client.send(new ListFunctionUrlConfigsCommand({ FunctionName, MaxItems: 1 }))
  t.match(FunctionUrlConfigs, [{ FunctionUrl, AuthType: 'AWS_IAM', InvokeMode: 'RESPONSE_STREAM' }])
  t.equal(FunctionUrlConfigs?.length, 1)

  const removed = await client.send(new DeleteFunctionUrlConfigCommand({ FunctionName }))
  t.equal(removed.$metadata.httpStatusCode, 204)
  await t.rejects(client.send(new GetFunctionUrlConfigCommand({ FunctionName })), ResourceNotFoundException)
  const other = await client.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: 'NONE' }))
  t.not(other.FunctionUrl, FunctionUrl, 'a new URL has another address')
})

t.test('bad input is refused in AWS’s words and leaves nothing behind', async (t) => {
  const { url, call } = await start(t)
  const NAME_PATTERN =
    /at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: \(arn/
  const QUALIFIER =
    "at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)"
  const none = { AuthType: 'NONE' }
  const cors = (Cors: object) => ({ ...none, Cors })
  const many = (count: number, value: string) => Array.from({ length: count }, () => value)
  const rows: [name: string, body: object, target: string, status: number, type: string, message: string | RegExp][] = [
    [
      'no AuthType',
      {},
      'hello/url',
      400,
      'ValidationException',
      "1 validation error detected: Value null at 'authType' failed to satisfy constraint: Member must not be null"
    ],
    [
      'odd AuthType',
      { AuthType: 'ANY' },
      'hello/url',
      400,
      'ValidationException',
      "1 validation error detected: Value 'ANY' at 'authType' failed to satisfy constraint: Member must satisfy enum value set: [NONE, AWS_IAM]"
    ],
    [
      'odd InvokeMode',
      { ...none, InvokeMode: 'x' },
      'hello/url',
      400,
      'ValidationException',
      /'invokeMode'.*\[BUFFERED, RESPONSE_STREAM\]$/
    ],
    [
      'a method of seven letters',
      cors({ AllowMethods: ['OPTIONS'] }),
      'hello/url',
      400,
      'ValidationException',
      "1 validation error detected: Value '[OPTIONS]' at 'cors.allowMethods' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 6]"
    ],
    [
      'an unknown method',
      cors({ AllowMethods: ['LINK'] }),
      'hello/url',
      400,
      'InvalidParameterValueException',
      /"LINK" is not one of GET, PUT/
    ],
    [
      'too many methods',
      cors({ AllowMethods: many(7, 'GET') }),
      'hello/url',
      400,
      'ValidationException',
      /'cors\.allowMethods'.*length less than or equal to 6$/
    ],
    [
      'too many origins',
      cors({ AllowOrigins: many(101, '*') }),
      'hello/url',
      400,
      'ValidationException',
      /length less than or equal to 100$/
    ],
    [
      'too many headers',
      cors({ AllowHeaders: many(101, '*') }),
      'hello/url',
      400,
      'ValidationException',
      /length less than or equal to 100$/
    ],
    [
      'an origin with a line break',
      cors({ AllowOrigins: ['https://a\r\nx: y'] }),
      'hello/url',
      400,
      'InvalidParameterValueException',
      /is not an origin such as/
    ],
    [
      'an origin with a path',
      cors({ AllowOrigins: ['https://a/b'] }),
      'hello/url',
      400,
      'InvalidParameterValueException',
      /is not an origin such as/
    ],
    [
      'a header with a blank',
      cors({ ExposeHeaders: ['x y'] }),
      'hello/url',
      400,
      'InvalidParameterValueException',
      /is not the name of a header/
    ],
    [
      'a long age',
      cors({ MaxAge: 86_401 }),
      'hello/url',
      400,
      'ValidationException',
      /'cors\.maxAge'.*value less than or equal to 86400$/
    ],
    [
      'an age as text',
      cors({ MaxAge: '1' }),
      'hello/url',
      400,
      'SerializationException',
      /^STRING_VALUE can not be converted to an Integer/
    ],
    [
      'a version',
      none,
      'hello/url?Qualifier=1',
      400,
      'ValidationException',
      `1 validation error detected: Value '1' ${QUALIFIER}`
    ],
    [
      '$LATEST',
      none,
      'hello/url?Qualifier=%24LATEST',
      400,
      'ValidationException',
      `1 validation error detected: Value '$LATEST' ${QUALIFIER}`
    ],
    ['$LATEST in the name', none, 'hello:$LATEST/url', 400, 'ValidationException', NAME_PATTERN],
    ['a version in the name', none, 'hello:1/url', 400, 'ValidationException', NAME_PATTERN],
    ['no such alias', none, 'hello/url?Qualifier=live', 404, 'ResourceNotFoundException', 'Function does not exist'],
    ['no such function', none, 'nobody/url', 404, 'ResourceNotFoundException', 'Function does not exist'],
    [
      'another account',
      none,
      `${ARN.replace('000000000000', '111111111111')}:function:hello/url`,
      403,
      'AccessDeniedException',
      ''
    ]
  ]
  for (const [name, body, target, status, type, message] of rows) {
    const answer = await url('POST', body, target)
    const told = answer.json<{ message?: string; Message?: string }>()
    t.equal(answer.statusCode, status, name)
    t.equal(answer.headers['x-amzn-errortype'], type, name)
    const text = told.message ?? told.Message ?? ''
    if (typeof message === 'string') t.equal(text, message, name)
    else t.match(text, message, name)
  }
  t.match((await url('GET', undefined, 'hello/urls')).json(), { FunctionUrlConfigs: [] })

  const gone = { Message: 'The resource you requested does not exist.' }
  for (const target of ['hello/url', 'nobody/url']) {
    t.match((await url('GET', undefined, target)).json(), gone)
    t.match((await url('DELETE', undefined, target)).json(), gone)
  }
  t.match((await url('PUT', none)).json(), gone)
  t.match((await url('PUT', none, 'nobody/url')).json(), { Message: 'Function does not exist' })
  t.match((await url('GET', undefined, 'nobody/urls')).json(), { Message: 'Function does not exist' })
  t.match((await url('GET', undefined, 'hello/urls?MaxItems=51')).json(), { message: /'maxItems'.*equal to 50$/ })
  t.equal((await url('GET', undefined, 'hello/urls?Marker=x')).statusCode, 400)
  await url('POST', none)
  t.match((await url('POST', none)).json(), {
    message: `Failed to create function url config for [functionArn = ${ARN}:function:hello]. Error message:  FunctionUrlConfig exists for this Lambda function`
  })
  t.match((await url('PUT', cors({ AllowMethods: ['LINK'] }))).json(), { Type: 'User' })
  t.notOk('Cors' in (await url('GET')).json<object>())
  t.equal((await call('DELETE', '/v1/functions/hello')).statusCode, 204)
  t.equal((await url('GET')).statusCode, 404)
})

t.test('/v1 gives a function its URL: with a key unless it says otherwise', async (t) => {
  const { call } = await start(t)
  const target = '/v1/functions/hello/url'
  const created = await call('PUT', target)
  t.equal(created.statusCode, 201)
  const { id, url } = created.json<{ id: string; url: string }>()
  t.match(created.json(), {
    authType: 'AWS_IAM',
    cors: null,
    invokeMode: 'BUFFERED',
    qualifier: null,
    function: 'hello'
  })
  t.equal(url, `http://${id}.lambda-url.localhost/`)
  const changed = await call('PUT', target, { authType: 'NONE', cors: { allowOrigins: ['*'] } })
  t.equal(changed.statusCode, 200)
  t.match(changed.json(), {
    id,
    authType: 'NONE',
    cors: { allowOrigins: ['*'] },
    pathUrl: `http://localhost:80/url/${id}/`
  })
  t.same((await call('GET', target)).json(), changed.json())
  for (const body of [{ authType: 'ANY' }, { cors: { allowMethods: ['LINK'] } }, { x: 1 }]) {
    t.match((await call('PUT', target, body)).json(), { code: 'INVALID_REQUEST' })
  }
  t.match((await call('PUT', '/v1/functions/nobody/url')).json(), { code: 'FUNCTION_NOT_FOUND', status: 404 })
  t.match((await call('PUT', `${target}?qualifier=live`)).json(), { code: 'FUNCTION_NOT_FOUND' })
  t.match((await call('PUT', `${target}?qualifier=1`)).json(), { code: 'INVALID_REQUEST' })
  t.equal((await call('DELETE', target)).statusCode, 204)
  t.match((await call('DELETE', target)).json(), { code: 'FUNCTION_URL_NOT_FOUND', status: 404 })
})

t.test('domains lead to functions that have a URL', async (t) => {
  const { call } = await start(t)
  const hello = { function: 'hello' }
  t.match((await call('PUT', '/v1/domains/api.example.com', hello)).json(), { code: 'FUNCTION_URL_NOT_FOUND' })
  await call('PUT', '/v1/functions/hello/url')
  const created = await call('PUT', '/v1/domains/API.Example.com.', hello)
  t.equal(created.statusCode, 201)
  t.match(created.json(), { host: 'api.example.com', function: 'hello', qualifier: null })
  t.equal((await call('PUT', '/v1/domains/api.example.com', hello)).statusCode, 200)
  t.match((await call('PUT', `/v1/domains/${encodeURIComponent('bücher.example')}`, hello)).json(), {
    host: 'xn--bcher-kva.example'
  })
  t.match((await call('GET', `/v1/domains/${encodeURIComponent('bücher.example')}`)).json(), { function: 'hello' })
  for (const host of [
    'localhost',
    'LOCALHOST.',
    '127.0.0.1',
    '0x7f.1',
    '%5B%3A%3A1%5D',
    'lambda-url.localhost',
    'a.lambda-url.localhost',
    'a..b',
    '-a.example',
    'a%20b.example',
    'a%2Fb',
    '*.example.com',
    `${'a'.repeat(64)}.example`
  ]) {
    t.match((await call('PUT', `/v1/domains/${host}`, hello)).json(), { code: 'INVALID_REQUEST' }, host)
  }
  t.match((await call('PUT', '/v1/domains/a.example', {})).json(), { code: 'INVALID_REQUEST' })
  const first = (await call('GET', '/v1/domains?limit=1')).json<{ items: object[]; nextCursor: string }>()
  t.match(first.items, [{ host: 'api.example.com' }])
  const second = (await call('GET', `/v1/domains?limit=1&cursor=${first.nextCursor}`)).json<object>()
  t.match(second, { items: [{ host: 'xn--bcher-kva.example' }], nextCursor: null })
  t.equal((await call('DELETE', '/v1/domains/api.example.com')).statusCode, 204)
  t.match((await call('DELETE', '/v1/domains/api.example.com')).json(), { code: 'DOMAIN_NOT_FOUND', status: 404 })
  await call('DELETE', '/v1/functions/hello')
  t.match((await call('GET', '/v1/domains')).json(), { items: [] }, 'gone with the function')
})

t.test('an alias has a URL of its own, which outlives it', async (t) => {
  const { url, aws } = await start(t)
  await aws('POST', '/functions/hello/versions', {})
  t.equal((await aws('POST', '/functions/hello/aliases', { Name: 'live', FunctionVersion: '1' })).statusCode, 201)
  await url('POST', { AuthType: 'NONE' })
  const target = 'hello/url?Qualifier=live'
  t.match((await url('POST', { AuthType: 'AWS_IAM' }, target)).json(), { FunctionArn: `${ARN}:function:hello:live` })
  t.match((await url('GET', undefined, 'hello:live/url')).json(), { AuthType: 'AWS_IAM' })
  const first = (await url('GET', undefined, 'hello/urls?MaxItems=1')).json<{ NextMarker: string }>()
  const second = (await url('GET', undefined, `hello/urls?MaxItems=1&Marker=${first.NextMarker}`)).json<object>()
  t.match(second, { FunctionUrlConfigs: [{ InvokeMode: 'BUFFERED' }] })
  t.notOk('NextMarker' in second)
  await aws('DELETE', '/functions/hello/aliases/live')
  t.equal((await url('GET', undefined, target)).statusCode, 200)
})
