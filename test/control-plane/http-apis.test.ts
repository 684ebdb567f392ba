// API Gateway's REST API for HTTP and WebSocket APIs: what is kept, what is refused, what is deployed.
import assert from 'node:assert/strict'
import t from 'tap'
import { ARN, ROLE, SOURCE, startControlPlane } from './support.ts'

/** Of all answers, whichever they are. */
interface Json {
  readonly apiId: string
  readonly integrationId: string
  readonly routeId: string
  readonly routeResponseId: string
  readonly authorizerId: string
  readonly deploymentId: string
  readonly apiMappingId: string
  readonly authorizationScopes: unknown
  readonly corsConfiguration: unknown
  readonly stageVariables: unknown
  readonly routeSettings: unknown
  readonly accessLogSettings: unknown
  readonly nextToken?: string
  readonly items: readonly { readonly routeKey: string; readonly routeId: string }[]
  readonly routes: object
  readonly code: string
}
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

async function startApis(t: Parameters<typeof startControlPlane>[0]) {
  const plane = await startControlPlane(t)
  for (const name of ['first', 'second']) t.equal((await plane.put(`${name}.mjs`, SOURCE)).statusCode, 201)
  /** @returns the body */
  const call = async (method: Method, url: string, payload?: object, status?: number): Promise<Json> => {
    const answer = await plane.inject({ method, url: `/v2${url}`, ...(payload === undefined ? {} : { payload }) })
    const usual = { GET: 200, POST: 201, PATCH: 200, PUT: 200, DELETE: 204 }[method]
    assert.equal(answer.statusCode, status ?? usual, `${method} ${url} ${JSON.stringify(payload)}: ${answer.body}`)
    const type = answer.headers['x-amzn-errortype']
    const body = answer.body === '' ? undefined : answer.json<Json>()
    return { ...body, ...(type === undefined ? {} : { type }) } as Json
  }
  const api = async (more: object = {}): Promise<string> =>
    (await call('POST', '/apis', { name: 'shop', protocolType: 'HTTP', ...more })).apiId
  return { plane, call, api }
}

const FIRST = `${ARN}:function:first`
const PATH = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${FIRST}/invocations`
const PROXY = { integrationType: 'AWS_PROXY', integrationUri: FIRST, payloadFormatVersion: '2.0' }

t.test('APIs', async (t) => {
  const { plane, call, api } = await startApis(t)

  t.test('a draft, deployments and stages', async (t) => {
    const id = await api({
      description: 'd',
      tags: { team: 'a' },
      corsConfiguration: { allowOrigins: ['https://a.de'] }
    })
    const made = await call('GET', `/apis/${id}`)
    t.match(made, {
      apiEndpoint: `http://${id}.lambda-url.localhost:80`.replace(':80', ''),
      apiKeySelectionExpression: '$request.header.x-api-key',
      routeSelectionExpression: '$request.method $request.path',
      createdDate: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
      disableExecuteApiEndpoint: false,
      ipAddressType: 'ipv4',
      protocolType: 'HTTP'
    })
    t.match(id, /^[a-z0-9]{10}$/)
    const integration = await call('POST', `/apis/${id}/integrations`, { ...PROXY, integrationUri: PATH })
    t.match(integration, { integrationUri: PATH, timeoutInMillis: 30_000, integrationMethod: 'POST' })
    const target = `integrations/${integration.integrationId}`
    t.match(await call('POST', `/apis/${id}/deployments`, {}, 400), { message: /At least one route/ })
    const stage = { stageName: 'prod', stageVariables: { a: '1', b: '2' } }
    t.match(await call('POST', `/apis/${id}/stages`, stage), { autoDeploy: false, stageVariables: { a: '1', b: '2' } })
    t.notOk((await call('POST', `/apis/${id}/stages`, { stageName: '$default', autoDeploy: true })).deploymentId)
    const route = await call('POST', `/apis/${id}/routes`, { routeKey: 'GET /pets/{id}', target })
    t.match(route, { authorizationType: 'NONE', apiKeyRequired: false, target })
    const auto = async () => (await call('GET', `/apis/${id}/stages/$default`)).deploymentId
    const before = await auto()
    t.match(before, /^[a-z0-9]{7}$/, 'a change is deployed at once')
    await call('PATCH', `/apis/${id}/routes/${route.routeId}`, { operationName: 'pet' })
    t.not(await auto(), before)
    t.equal((await call('GET', `/apis/${id}/deployments`)).items.length, 1, 'what nobody serves any more is gone')

    const deployment = await call('POST', `/apis/${id}/deployments`, { stageName: 'prod', description: 'one' })
    t.match(deployment, { autoDeployed: false, deploymentStatus: 'DEPLOYED' })
    const { deploymentId } = deployment
    t.match(await call('GET', `/apis/${id}/stages/prod`), { deploymentId })
    await call('POST', `/apis/${id}/deployments`, { stageName: '$default' }, 400)
    await call('DELETE', `/apis/${id}/deployments/${deploymentId}`, undefined, 400)
    await call('POST', `/apis/${id}/routes`, { routeKey: 'POST /pets', target })
    t.match(await call('GET', `/apis/${id}/stages/prod`), { deploymentId }, 'another stage stays where it was')

    // Stage settings are put to what there is.
    const settings = { defaultRouteSettings: { throttlingRateLimit: 5, throttlingBurstLimit: 0 } }
    await call('PATCH', `/apis/${id}/stages/prod`, {
      ...settings,
      stageVariables: { a: '', c: '3' },
      routeSettings: { 'POST /pets': { throttlingRateLimit: 1.5 } },
      accessLogSettings: {
        destinationArn: 'arn:aws:logs:us-east-1:000000000000:log-group:x',
        format: '$context.requestId'
      }
    })
    await call('PATCH', `/apis/${id}/stages/prod`, { routeSettings: { 'GET /none': {} } }, 404)
    await call('PATCH', `/apis/${id}/stages/prod`, { description: 'p' })
    const shown = await call('GET', `/apis/${id}/stages/prod`)
    t.match(shown, { ...settings, description: 'p', accessLogSettings: { format: '$context.requestId' } })
    t.strictSame(shown.stageVariables, { b: '2', c: '3' })
    t.strictSame(shown.routeSettings, { 'POST /pets': { throttlingRateLimit: 1.5 } })
    await call('DELETE', `/apis/${id}/stages/prod/routesettings/POST%20%2Fpets`)
    await call('DELETE', `/apis/${id}/stages/prod/accesslogsettings`)
    const bare = await call('GET', `/apis/${id}/stages/prod`)
    t.strictSame([bare.routeSettings, bare.accessLogSettings], [{}, undefined])

    // Tags, by ARN.
    const arn = (rest: string) => encodeURIComponent(`arn:aws:apigateway:us-east-1::/apis/${id}${rest}`)
    await call('POST', `/tags/${arn('/stages/$default')}`, { tags: { x: 'y', z: 'w' } })
    await call('DELETE', `/tags/${arn('/stages/$default')}?tagKeys=x`)
    t.strictSame(await call('GET', `/tags/${arn('/stages/$default')}`), { tags: { z: 'w' } })
    t.strictSame(await call('GET', `/tags/${arn('')}`), { tags: { team: 'a' } })
    t.match(await call('POST', `/tags/${arn('')}`, { tags: { 'aws:x': 'y' } }, 400), { type: 'BadRequestException' })
    t.match(await call('GET', `/tags/${arn('/nothing')}`, undefined, 404), { type: 'NotFoundException' })

    // Pages.
    const page = await call('GET', `/apis/${id}/routes?maxResults=1`)
    const next = await call('GET', `/apis/${id}/routes?maxResults=1&nextToken=${page.nextToken}`)
    t.equal(new Set([...page.items, ...next.items].map(({ routeKey }) => routeKey)).size, 2)
    t.notOk(next.nextToken)
    await call('GET', `/apis/${id}/routes?maxResults=none`, undefined, 400)
    await call('GET', `/apis/${id}/routes?nextToken=x`, undefined, 400)

    // In use.
    t.match(await call('DELETE', `/apis/${id}/integrations/${integration.integrationId}`, undefined, 409), {
      type: 'ConflictException'
    })
    await call('DELETE', `/apis/${id}/cors`)
    t.notOk((await call('GET', `/apis/${id}`)).corsConfiguration)
    t.match(await call('PATCH', `/apis/${id}`, { name: 'other', description: '' }), { name: 'other' })

    // Domains.
    const certificateArn = 'arn:aws:acm:us-east-1:000000000000:certificate/x'
    const domain = { domainName: 'API.Example.com', domainNameConfigurations: [{ certificateArn }], tags: { d: '1' } }
    t.match(await call('POST', '/domainnames', domain), {
      domainName: 'api.example.com',
      domainNameConfigurations: [{ certificateArn, domainNameStatus: 'AVAILABLE', securityPolicy: 'TLS_1_2' }]
    })
    await call('POST', '/domainnames', domain, 409)
    for (const domainName of ['x.lambda-url.localhost', 'localhost', '*.example.com', '10.0.0.1', 'a b']) {
      t.match(await call('POST', '/domainnames', { domainName }, 400), { type: 'BadRequestException' }, domainName)
    }
    const mappings = '/domainnames/api.example.com/apimappings'
    const mapping = await call('POST', mappings, { apiId: id, stage: 'prod', apiMappingKey: 'v1/pets' })
    await call('POST', mappings, { apiId: id, stage: '$default' })
    await call('POST', mappings, { apiId: id, stage: '$default' }, 409)
    for (const bad of [
      { apiId: id, stage: 'nowhere' },
      { apiId: 'nowhere', stage: 'prod' },
      ...['/a', 'a/', 'a//b', 'ä', 'a b'].map((apiMappingKey) => ({ apiId: id, stage: 'prod', apiMappingKey }))
    ]) {
      await call('POST', mappings, bad, 400)
    }
    const chat = await api({ protocolType: 'WEBSOCKET', routeSelectionExpression: '$request.body.action' })
    await call('POST', `/apis/${chat}/stages`, { stageName: 'live' })
    t.match(await call('POST', mappings, { apiId: chat, stage: 'live', apiMappingKey: 'chat' }, 400), {
      message: /cannot share a domain/
    })
    t.match(await call('DELETE', `/apis/${id}`, undefined, 400), { type: 'BadRequestException' })
    await call('DELETE', `/apis/${id}/stages/prod`, undefined, 400)
    t.match(await call('PATCH', `${mappings}/${mapping.apiMappingId}`, { apiId: id, apiMappingKey: 'v2' }), {
      apiMappingKey: 'v2',
      stage: 'prod'
    })
    t.equal((await call('GET', mappings)).items.length, 2)
    const url = await plane.inject({ method: 'PUT', url: '/v1/functions/first/url', payload: { authType: 'AWS_IAM' } })
    t.equal(url.statusCode, 201)
    const taken = await plane.inject({
      method: 'PUT',
      url: '/v1/domains/api.example.com',
      payload: { function: 'first' }
    })
    t.equal(taken.statusCode, 409, 'a host leads to one thing')
    await plane.inject({ method: 'PUT', url: '/v1/domains/fn.example.com', payload: { function: 'first' } })
    await call('POST', '/domainnames', { domainName: 'fn.example.com' }, 409)
    await call('DELETE', '/domainnames/api.example.com')
    await call('GET', mappings, undefined, 404)
    await call('DELETE', `/apis/${id}`)
    await call('GET', `/apis/${id}`, undefined, 404)
    t.equal((await call('GET', '/apis')).items.length, 1)

    // Quick create.
    const quick = await api({ target: FIRST, routeKey: 'GET /q' })
    const [only] = (await call('GET', `/apis/${quick}/routes`)).items
    t.match(only, { routeKey: 'GET /q', apiGatewayManaged: true })
    t.match(await call('GET', `/apis/${quick}/stages/$default`), { autoDeploy: true, deploymentId: /./ })
    await call('DELETE', `/apis/${quick}/routes/${only?.routeId}`, undefined, 400)
    await call('PATCH', `/apis/${quick}`, { target: `${ARN}:function:second` })
    t.match((await call('GET', `/apis/${quick}/integrations`)).items, [
      { integrationUri: `${ARN}:function:second`, payloadFormatVersion: '2.0' }
    ])

    // WebSocket.
    const talk = await call('POST', `/apis/${chat}/integrations`, {
      integrationType: 'AWS_PROXY',
      integrationUri: PATH
    })
    t.match(talk, { timeoutInMillis: 29_000, payloadFormatVersion: '1.0', passthroughBehavior: 'WHEN_NO_MATCH' })
    const say = await call('POST', `/apis/${chat}/routes`, {
      routeKey: 'say',
      target: `integrations/${talk.integrationId}`,
      routeResponseSelectionExpression: '$default'
    })
    const responses = `/apis/${chat}/routes/${say.routeId}/routeresponses`
    const response = await call('POST', responses, { routeResponseKey: '$default' })
    await call('POST', responses, { routeResponseKey: '$default' }, 409)
    t.match(await call('GET', `${responses}/${response.routeResponseId}`), { routeResponseKey: '$default' })
    await call('DELETE', `${responses}/${response.routeResponseId}`)
    t.strictSame((await call('GET', responses)).items, [])
    t.match(await call('GET', `/apis/${chat}`), { apiEndpoint: /^ws:/ })
  })

  t.test('what is refused leaves nothing behind', async (t) => {
    const id = await api()
    const at = `/apis/${id}`
    const { integrationId } = await call('POST', `${at}/integrations`, PROXY)
    const target = `integrations/${integrationId}`
    const jwt = {
      name: 'jwt',
      authorizerType: 'JWT',
      identitySource: ['$request.header.Authorization'],
      jwtConfiguration: { issuer: 'https://issuer.example.com', audience: ['me'] }
    }
    const lambda = {
      name: 'lambda',
      authorizerType: 'REQUEST',
      authorizerUri: FIRST,
      authorizerPayloadFormatVersion: '2.0',
      identitySource: ['$request.header.x-key']
    }
    const jwtId = (await call('POST', `${at}/authorizers`, jwt)).authorizerId
    const lambdaId = (await call('POST', `${at}/authorizers`, lambda)).authorizerId
    await call('POST', `${at}/routes`, { routeKey: 'GET /a/{x}', target })
    const chat = await api({ protocolType: 'WEBSOCKET', routeSelectionExpression: '${request.body.action}' })
    const state = async () =>
      JSON.stringify([
        await call('GET', '/apis'),
        await call('GET', '/domainnames'),
        ...(await Promise.all(
          [at, `/apis/${chat}`].flatMap((one) =>
            ['routes', 'integrations', 'authorizers', 'stages'].map((kind) => call('GET', `${one}/${kind}`))
          )
        ))
      ])
    const before = await state()

    const refused = async (method: Method, url: string, payload: object, said: RegExp, status = 400) => {
      const type = { 400: 'BadRequestException', 404: 'NotFoundException', 409: 'ConflictException' }[status]
      t.match(await call(method, url, payload, status), { message: said, ...(type === undefined ? {} : { type }) })
    }
    for (const [routeKey, said] of [
      ['FETCH /a', /method/],
      ['GET a', /begin with/],
      ['GET', /method and a path/],
      ['get /a', /method/],
      ['GET /a b', /method and a path/],
      ['GET /{proxy+}/b', /must be its end/],
      ['GET /{a}/{a}', /two parameters a/],
      ['GET /x{a}', /neither text nor a parameter/],
      ['GET //a', /empty segment/],
      ['GET /ü', /characters/],
      ['$connect', /method and a path/]
    ] as const) {
      await refused('POST', `${at}/routes`, { routeKey, target }, said)
    }
    await refused('POST', `${at}/routes`, { routeKey: 'GET /a/{x}' }, /already exists/, 409)
    await refused('POST', `${at}/routes`, { routeKey: 'GET /a/{y}' }, /GET \/a\/\{x\}/, 409)
    const route = { routeKey: 'GET /b', target }
    for (const [more, said] of [
      [{ target: 'integrations/nothing' }, /no such integration/],
      [{ target: integrationId }, /integrations\/\{integrationId\}/],
      [{ authorizationType: 'JWT' }, /needs an authorizerId/],
      [{ authorizationType: 'JWT', authorizerId: lambdaId }, /needs an authorizer of type JWT/],
      [{ authorizationType: 'CUSTOM', authorizerId: jwtId }, /needs an authorizer of type REQUEST/],
      [{ authorizationType: 'CUSTOM', authorizerId: 'nothing' }, /no authorizer nothing/],
      [{ authorizationType: 'AWS_IAM', authorizerId: jwtId }, /has no authorizer/],
      [{ authorizationScopes: ['a'] }, /go with authorizationType JWT/],
      [{ authorizationType: 'OPEN' }, /authorizationType/],
      [{ requestModels: { a: 'b' } }, /no models/],
      [{ routeResponseSelectionExpression: '$default' }, /only for WebSocket/],
      [{ color: 'red' }, /color/]
    ] as const) {
      await refused('POST', `${at}/routes`, { ...route, ...more }, said)
    }
    for (const [more, said] of [
      [{ integrationType: 'MOCK' }, /not in this release/],
      [{ integrationType: 'HTTP_PROXY', integrationUri: 'https://example.com' }, /not in this release/],
      [{ integrationUri: 'https://example.com' }, /ARN of a Lambda function/],
      [{ integrationUri: undefined }, /integrationUri is required/],
      [{ integrationUri: `${ARN}:function:absent` }, /there is no/],
      [{ integrationUri: `${FIRST}:absent` }, /there is no/],
      [{ integrationUri: FIRST.replace('us-east-1', 'eu-west-1') }, /not reachable in this region/],
      [{ integrationUri: FIRST.replace('000000000000', '111111111111') }, /another account/],
      [{ integrationUri: PATH.replace('us-east-1', 'eu-west-1') }, /not this server's/],
      [{ integrationUri: PATH.replace('function:first', 'function:${stageVariables.fn}') }, /stage variables/],
      [{ payloadFormatVersion: undefined }, /required parameter/],
      [{ payloadFormatVersion: '3.0' }, /1\.0 or 2\.0/],
      [{ timeoutInMillis: 49 }, /between 50 ms and 30000/],
      [{ timeoutInMillis: 30_001 }, /between 50 ms and 30000/],
      [{ connectionType: 'VPC_LINK' }, /VPC_LINK/],
      [{ requestParameters: { 'append:header.a': 'b' } }, /requestParameters/],
      [{ credentialsArn: 'arn:aws:iam::000000000000:role/absent' }, /no such role/],
      [{ credentialsArn: ROLE }, /apigateway\.amazonaws\.com/],
      [{ credentialsArn: 'me' }, /ARN of a role/]
    ] as const) {
      await refused('POST', `${at}/integrations`, { ...PROXY, ...more }, said)
    }
    await refused('PATCH', `${at}/integrations/${integrationId}`, { timeoutInMillis: 1 }, /between/)
    for (const [more, said] of [
      [{ ...jwt }, /already exists/],
      [{ ...jwt, name: 'x', jwtConfiguration: { audience: ['a'] } }, /issuer/],
      [{ ...jwt, name: 'x', jwtConfiguration: { issuer: 'https://a.de' } }, /audience/],
      [{ ...jwt, name: 'x', jwtConfiguration: { issuer: 'ftp://a.de', audience: ['a'] } }, /Invalid issuer/],
      [{ ...jwt, name: 'x', jwtConfiguration: { issuer: 'a.de', audience: ['a'] } }, /Invalid issuer/],
      [{ ...jwt, name: 'x', identitySource: ['$request.body.a'] }, /Invalid identity source/],
      [{ ...jwt, name: 'x', identitySource: ['Authorization'] }, /Invalid identity source/],
      [{ ...jwt, name: 'x', identitySource: [] }, /one identity source/],
      [{ ...jwt, name: 'x', authorizerType: 'TOKEN' }, /authorizerType/],
      [{ ...lambda, name: 'x', authorizerUri: undefined }, /authorizerUri is required/],
      [{ ...lambda, name: 'x', authorizerPayloadFormatVersion: undefined }, /1\.0 or 2\.0/],
      [{ ...lambda, name: 'x', authorizerPayloadFormatVersion: '1.0', enableSimpleResponses: true }, /goes with/],
      [{ ...lambda, name: 'x', identitySource: [], authorizerResultTtlInSeconds: 10 }, /nothing to remember/],
      [{ ...lambda, name: 'x', authorizerResultTtlInSeconds: 3_601 }, /authorizerResultTtlInSeconds/]
    ] as const) {
      await refused('POST', `${at}/authorizers`, more, said, /already/.test(said.source) ? 409 : 400)
    }
    const http = { name: 'x', protocolType: 'HTTP' }
    for (const [body, said] of [
      [{ protocolType: 'HTTP' }, /name/],
      [{ name: 'x', protocolType: 'REST' }, /protocolType/],
      [{ name: 'x', protocolType: 'WEBSOCKET' }, /routeSelectionExpression is required/],
      [
        { name: 'x', protocolType: 'WEBSOCKET', routeSelectionExpression: '$request.header.a' },
        /member of the message/
      ],
      [{ ...http, routeSelectionExpression: '$request.body.a' }, /HTTP APIs have/],
      [{ ...http, corsConfiguration: { allowOrigins: ['*'], allowCredentials: true } }, /allowCredentials/],
      [{ ...http, corsConfiguration: { allowOrigins: ['example.com'] } }, /is not an origin/],
      [{ ...http, corsConfiguration: { allowMethods: ['FETCH'] } }, /allowMethods/],
      [{ ...http, corsConfiguration: { allowHeaders: ['a b'] } }, /allowHeaders/],
      [{ ...http, corsConfiguration: { maxAge: 86_401 } }, /maxAge/],
      [{ ...http, target: `${ARN}:function:absent` }, /there is no/],
      [{ ...http, routeKey: 'GET /' }, /go with target/],
      [{ ...http, target: FIRST, routeKey: 'GET' }, /formatted properly/]
    ] as const) {
      await refused('POST', '/apis', body, said)
    }
    for (const stageName of ['a.b', 'ä', '$live', 'x'.repeat(129)]) {
      await refused('POST', `${at}/stages`, { stageName }, /[sS]tage ?[nN]ame/)
    }
    await refused('POST', `/apis/${chat}/stages`, { stageName: '$default' }, /only allows/)
    await refused('POST', `${at}/stages`, { stageName: 'a', deploymentId: 'nothing' }, /Deployment/, 404)
    await refused('POST', `${at}/stages`, { stageName: 'a', stageVariables: { 'a-b': 'x' } }, /stage variable/)
    const talk = { routeKey: '$connect', target: '' }
    await refused('POST', `/apis/${chat}/routes`, { ...talk, routeKey: '$other' }, /formatted properly/)
    await refused(
      'POST',
      `/apis/${chat}/routes`,
      { ...talk, routeKey: 'say', authorizationType: 'AWS_IAM' },
      /\$connect/
    )
    await refused(
      'POST',
      `/apis/${chat}/routes`,
      { ...talk, authorizationType: 'JWT', authorizerId: jwtId },
      /HTTP APIs/
    )
    await refused('POST', `/apis/${chat}/authorizers`, jwt, /identity source|JWT/)
    await refused('PATCH', `${at}/routes/nothing`, {}, /Unable to find Route/, 404)
    await refused('POST', '/apis/nothing000/routes', route, /Invalid API identifier/, 404)
    t.match(await call('PUT', '/apis', {}, 501), { message: /ImportApi/ })
    t.match(await call('POST', '/vpclinks', {}, 501), { message: /CreateVpcLink/ })
    t.equal(await state(), before)

    for (let n = 0; n < 8; n++) await call('POST', `${at}/authorizers`, { ...lambda, name: `n${n}` })
    t.match(await call('POST', `${at}/authorizers`, { ...lambda, name: 'more' }, 429), {
      type: 'TooManyRequestsException',
      message: /Maximum number of Authorizers/
    })
    await call('PATCH', `${at}/authorizers/${lambdaId}`, {
      enableSimpleResponses: true,
      authorizerResultTtlInSeconds: 5
    })
    const secured = await call('POST', `${at}/routes`, {
      ...route,
      authorizationType: 'JWT',
      authorizerId: jwtId,
      authorizationScopes: ['read']
    })
    t.match(await call('DELETE', `${at}/authorizers/${jwtId}`, undefined, 409), { message: /GET \/b/ })
    const open = await call('PATCH', `${at}/routes/${secured.routeId}`, { authorizationType: 'NONE' })
    t.notOk(open.authorizerId ?? open.authorizationScopes, 'what went with it is gone')
    await call('DELETE', `${at}/authorizers/${jwtId}`)
  })

  t.test('who may do what', async (t) => {
    const [own, other] = [await api(), await api()]
    const count = async () => (await call('GET', '/apis')).items.length
    const before = await count()
    const start = 'arn:aws:apigateway:us-east-1::/apis'
    const policy = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['apigateway:GET', 'apigateway:POST'],
          Resource: [`${start}/${own}`, `${start}/${own}/*`]
        }
      ]
    }
    const user = { policies: { own: policy } }
    t.equal((await plane.inject({ method: 'PUT', url: '/v1/users/dev', payload: user })).statusCode, 201)
    const key = (await plane.inject({ method: 'POST', url: '/v1/keys', payload: { user: 'dev' } })).json<{
      token: string
    }>()
    const as = async (method: Method, url: string, payload?: object) =>
      await plane.inject({
        method,
        url,
        headers: { authorization: `Bearer ${key.token}` },
        ...(payload === undefined ? {} : { payload })
      })
    t.equal((await as('GET', `/v2/apis/${own}`)).statusCode, 200)
    t.equal((await as('POST', `/v2/apis/${own}/integrations`, PROXY)).statusCode, 201)
    for (const [method, url, payload] of [
      ['GET', `/v2/apis/${other}`],
      ['GET', '/v2/apis'],
      ['POST', '/v2/apis', { name: 'x', protocolType: 'HTTP' }],
      ['PATCH', `/v2/apis/${own}`, {}],
      ['DELETE', `/v2/apis/${own}`],
      ['GET', `/v2/apis/${own}%2F..%2F${other}`],
      ['POST', `/v2/apis/${own}/integrations`, { ...PROXY, credentialsArn: ROLE }],
      ['POST', `/v2/tags/${encodeURIComponent(`${start}/${own}`)}`, { tags: {} }],
      ['PUT', '/v1/triggers/http/x', { function: 'first' }],
      ['GET', '/v1/triggers/http']
    ] as const) {
      const answer = await as(method, url, payload)
      t.equal(answer.statusCode, 403, `${method} ${url}: ${answer.body}`)
      if (url.startsWith('/v2')) t.match(answer.json(), { message: /not authorized to perform/ })
    }
    t.equal((await plane.app.inject({ method: 'GET', url: '/v2/apis' })).statusCode, 403, 'a stranger')
    t.equal(await count(), before)
  })

  t.test('APIs in /v1', async (t) => {
    const send = async (method: Method, url: string, payload?: object) => {
      const answer = await plane.inject({
        method,
        url: `/v1/triggers/${url}`,
        ...(payload === undefined ? {} : { payload })
      })
      return { status: answer.statusCode, body: answer.body === '' ? ({} as Json) : answer.json<Json>() }
    }
    const sids = async (name: string) =>
      (await plane.get(`/v1/functions/${name}/permissions`))
        .json<{ items: { Sid: string; Condition: Json }[] }>()
        .items.filter(({ Sid }) => Sid.startsWith('hearth-'))
    const document = {
      function: 'first',
      routes: {
        'GET /pets': 'first',
        'POST /pets': {
          function: 'second',
          payloadFormat: '1.0',
          authorizer: 'users',
          scopes: ['write'],
          timeoutMs: 500
        },
        'GET /admin': { function: 'second', authorizer: 'iam', requireKey: true, throttle: { rate: 2 } },
        'GET /asked': { function: 'first', authorizer: 'asker' }
      },
      authorizers: {
        users: { type: 'jwt', issuer: 'https://issuer.example.com/', audience: ['shop'] },
        asker: { type: 'lambda', function: 'second', identitySources: ['$request.header.x-key'] }
      },
      cors: { allowOrigins: ['*'] },
      stageVariables: { color: 'red' },
      throttle: { rate: 100, burst: 20 },
      domains: ['shop.example.com', 'all.example.com/shop'],
      tags: { team: 'a' }
    }
    const made = await send('PUT', 'http/shop.web', document)
    t.equal(made.status, 201, JSON.stringify(made.body))
    const id = made.body.apiId
    t.match(made.body, {
      kind: 'http',
      enabled: true,
      url: `http://${id}.lambda-url.localhost/`,
      urls: [/lambda-url/, `http://localhost/api/${id}/`, 'http://all.example.com/shop', 'http://shop.example.com/'],
      functions: [/function:/, /function:/],
      routes: {
        $default: { function: FIRST, payloadFormat: '2.0', authorizer: null, timeoutMs: 30_000 },
        'POST /pets': { payloadFormat: '1.0', authorizer: 'users', scopes: ['write'], timeoutMs: 500 },
        'GET /admin': { authorizer: 'iam', requireKey: true, throttle: { rate: 2 } }
      },
      authorizers: { asker: { type: 'lambda', simpleResponses: true, payloadFormat: '2.0' } }
    })
    t.equal((await call('GET', `/apis/${id}/integrations`)).items.length, 3, 'one for each way to a function')
    for (const name of ['first', 'second']) {
      t.match(await sids(name), [
        {
          Sid: `hearth-http-${id}`,
          Condition: { ArnLike: { 'AWS:SourceArn': `arn:aws:execute-api:us-east-1:000000000000:${id}/*` } }
        }
      ])
    }
    const parts = async () =>
      JSON.stringify([await call('GET', `/apis/${id}/routes`), await call('GET', `/apis/${id}/authorizers`)])
    const before = await parts()
    const again = await send('PUT', 'http/shop.web', document)
    t.equal(again.status, 200)
    t.strictSame(again.body, made.body, 'the same again changes nothing')
    t.equal(await parts(), before, 'and ids stay')

    const smaller = { routes: { 'GET /pets/{id}': 'first', 'GET /asked': { function: 'first', authorizer: 'asker' } } }
    const asker = { asker: { type: 'jwt', issuer: 'http://127.0.0.1:1', audience: ['a'] } }
    const changed = await send('PUT', 'http/shop.web', {
      ...smaller,
      authorizers: asker,
      domains: ['shop.example.com']
    })
    t.equal(changed.status, 200, JSON.stringify(changed.body))
    t.match(changed.body, { cors: null, stageVariables: {}, domains: ['shop.example.com'], tags: {} })
    t.strictSame(Object.keys(changed.body.routes).sort(), ['GET /asked', 'GET /pets/{id}'])
    t.strictSame(await sids('second'), [], 'who is not reached any more is not let in any more')
    await call('GET', '/domainnames/all.example.com', undefined, 404)

    const stage = async () => await call('GET', `/apis/${id}/stages/$default`)
    t.match((await send('PATCH', 'http/shop.web', { enabled: false })).body, { enabled: false })
    t.notOk((await stage()).deploymentId, 'nothing is served')
    await call('POST', `/apis/${id}/routes`, { routeKey: 'GET /more' })
    t.notOk((await stage()).deploymentId, 'still nothing')
    t.match((await send('PATCH', 'http/shop.web', { enabled: true })).body, { enabled: true })
    t.ok((await stage()).deploymentId)
    t.match((await send('GET', 'http/shop.web')).body, { routes: { 'GET /more': { function: null } } })
    t.match((await send('GET', 'http')).body, { items: [{ name: 'shop.web' }], nextCursor: null })

    const routesOf = (count: number) => ({
      routes: Object.fromEntries(Array.from({ length: count }, (_, n) => [`GET /many/${n}/{id}`, 'first']))
    })
    t.match(await send('PUT', 'http/many', routesOf(301)), { status: 409, body: { code: 'LIMIT_EXCEEDED' } })
    t.equal((await send('GET', 'http/many')).status, 404)
    t.equal((await send('PUT', 'http/many', routesOf(300))).status, 201)
    t.equal((await send('DELETE', 'http/many')).status, 204)

    const good = await send('GET', 'http/shop.web')
    for (const [body, code] of [
      [{}, 'INVALID_REQUEST'],
      [{ function: 'absent' }, 'INVALID_REQUEST'],
      [{ function: 'first', routes: { $default: 'second' } }, 'INVALID_REQUEST'],
      [{ routes: { 'GET /a': 'first', 'FETCH /b': 'first' } }, 'INVALID_REQUEST'],
      [{ routes: { 'GET /a/{b}': 'first', 'GET /a/{c}': 'first' } }, 'RESOURCE_EXISTS'],
      [{ routes: { 'GET /a': { function: 'first', authorizer: 'none' } } }, 'INVALID_REQUEST'],
      [{ function: 'first', authorizers: { a: { type: 'jwt', issuer: 'x', audience: ['a'] } } }, 'INVALID_REQUEST'],
      [{ function: 'first', domains: ['shop.example.com', 'localhost'] }, 'INVALID_REQUEST'],
      [{ function: 'first', cors: { allowOrigins: ['*'], allowCredentials: true } }, 'INVALID_REQUEST'],
      [{ function: 'first', color: 'red' }, 'INVALID_REQUEST']
    ] as const) {
      for (const name of ['shop.web', 'other']) {
        const answer = await send('PUT', `http/${name}`, body)
        t.equal(answer.body.code, code, JSON.stringify([body, answer.body]))
      }
    }
    t.strictSame(await send('GET', 'http/shop.web'), good, 'all or nothing')
    t.equal((await send('GET', 'http/other')).status, 404)

    const chat = await send('PUT', 'websocket/shop.web', {
      routes: { $connect: { function: 'first', authorizer: 'iam' }, say: { function: 'second', reply: true } }
    })
    t.equal(chat.status, 201, JSON.stringify(chat.body))
    t.match(chat.body, {
      kind: 'websocket',
      stage: 'live',
      routeSelectionExpression: '$request.body.action',
      url: /^ws:\/\/[a-z0-9]{10}\.lambda-url\.localhost\/live$/,
      routes: { say: { reply: true }, $connect: { authorizer: 'iam', timeoutMs: 29_000 } }
    })
    t.match(await send('PUT', 'websocket/other', { routes: { say: { function: 'first', authorizer: 'iam' } } }), {
      status: 400
    })
    for (const url of ['http/shop.web', 'websocket/shop.web']) {
      t.equal((await send('DELETE', url)).status, 204)
      t.equal((await send('DELETE', url)).status, 404)
    }
    t.strictSame([...(await sids('first')), ...(await sids('second'))], [])
    await call('GET', '/domainnames/shop.example.com', undefined, 404)
  })
})
