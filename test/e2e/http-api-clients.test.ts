// HTTP and WebSocket APIs as AWS's clients make them: the SDK for JavaScript, boto3 and the command line, through the gateway.
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import {
  ApiGatewayV2Client,
  BadRequestException,
  ConflictException,
  CreateApiCommand,
  CreateApiMappingCommand,
  CreateAuthorizerCommand,
  CreateDeploymentCommand,
  CreateDomainNameCommand,
  CreateIntegrationCommand,
  CreateRouteCommand,
  CreateRouteResponseCommand,
  CreateStageCommand,
  DeleteApiCommand,
  DeleteApiMappingCommand,
  DeleteCorsConfigurationCommand,
  DeleteDomainNameCommand,
  DeleteRouteSettingsCommand,
  GetApiCommand,
  GetApisCommand,
  GetDomainNamesCommand,
  GetIntegrationCommand,
  GetRouteResponsesCommand,
  GetStageCommand,
  NotFoundException,
  UpdateApiCommand,
  UpdateAuthorizerCommand,
  UpdateIntegrationCommand,
  UpdateRouteCommand,
  UpdateStageCommand
} from '@aws-sdk/client-apigatewayv2'
import t from 'tap'
import { ROOT, startHearth } from '../helpers/hearth.ts'

const run = promisify(execFile)
const FN = 'arn:aws:lambda:us-east-1:000000000000:function:hello'
const PATH = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${FN}/invocations`
// Each start of a client takes seconds when the machine is busy.
t.setTimeout(150_000)

t.test("APIs by AWS's clients", { timeout: 150_000 }, async (t) => {
  const hearth = await startHearth()
  t.teardown(() => hearth.stop())
  const { accessKeyId, secretAccessKey } = hearth
  const client = new ApiGatewayV2Client({
    endpoint: hearth.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1
  })
  t.teardown(() => {
    client.destroy()
  })
  t.ok((await hearth.deploy('hello.mjs', 'export const handler = async () => 1')).ok)

  await t.test('SDK for JavaScript', async (t) => {
    const api = await client.send(
      new CreateApiCommand({
        Name: 'shop',
        ProtocolType: 'HTTP',
        Tags: { team: 'a' },
        CorsConfiguration: { AllowOrigins: ['https://a.de'], AllowCredentials: true }
      })
    )
    const { ApiId } = api
    t.equal(api.ApiEndpoint, `http://${ApiId}.lambda-url.localhost:${hearth.ports.gateway}`)
    t.ok(api.CreatedDate instanceof Date)
    const { IntegrationId } = await client.send(
      new CreateIntegrationCommand({
        ApiId,
        IntegrationType: 'AWS_PROXY',
        IntegrationUri: PATH,
        PayloadFormatVersion: '1.0'
      })
    )
    const { AuthorizerId } = await client.send(
      new CreateAuthorizerCommand({
        ApiId,
        Name: 'asker',
        AuthorizerType: 'REQUEST',
        AuthorizerUri: PATH,
        AuthorizerPayloadFormatVersion: '2.0',
        IdentitySource: ['$request.querystring.key']
      })
    )
    const route = { ApiId, RouteKey: 'ANY /{proxy+}', Target: `integrations/${IntegrationId}` }
    const { RouteId } = await client.send(
      new CreateRouteCommand({ ...route, AuthorizationType: 'CUSTOM', AuthorizerId })
    )
    const { DeploymentId } = await client.send(new CreateDeploymentCommand({ ApiId, Description: 'one' }))
    const stage = { ApiId, StageName: 'prod' }
    await client.send(
      new CreateStageCommand({
        ...stage,
        DeploymentId,
        RouteSettings: { [route.RouteKey]: { ThrottlingBurstLimit: 3, ThrottlingRateLimit: 1.5 } }
      })
    )
    await client.send(new UpdateStageCommand({ ...stage, Description: 'p', StageVariables: { a: 'b' } }))
    t.match(await client.send(new GetStageCommand(stage)), {
      AutoDeploy: false,
      DeploymentId,
      Description: 'p',
      RouteSettings: { 'ANY /{proxy+}': { ThrottlingBurstLimit: 3, ThrottlingRateLimit: 1.5 } }
    })
    await client.send(new DeleteRouteSettingsCommand({ ...stage, RouteKey: route.RouteKey }))
    await client.send(new UpdateStageCommand({ ...stage, AutoDeploy: true }))
    const updated = await client.send(new UpdateRouteCommand({ ApiId, RouteId, AuthorizationType: 'AWS_IAM' }))
    t.match(updated, { AuthorizationType: 'AWS_IAM', AuthorizerId: undefined })
    const now = await client.send(new GetStageCommand(stage))
    t.not(now.DeploymentId, DeploymentId)
    t.strictSame(now.RouteSettings, {})
    await client.send(new UpdateAuthorizerCommand({ ApiId, AuthorizerId, EnableSimpleResponses: true }))
    await client.send(new UpdateIntegrationCommand({ ApiId, IntegrationId, TimeoutInMillis: 900 }))
    t.match(await client.send(new GetIntegrationCommand({ ApiId, IntegrationId })), {
      TimeoutInMillis: 900,
      IntegrationUri: PATH,
      PayloadFormatVersion: '1.0'
    })
    await client.send(new UpdateApiCommand({ ApiId, Description: 'd' }))
    await client.send(new DeleteCorsConfigurationCommand({ ApiId }))
    t.match(await client.send(new GetApiCommand({ ApiId })), {
      Description: 'd',
      CorsConfiguration: undefined,
      Tags: { team: 'a' }
    })

    const DomainName = 'shop.example.com'
    await client.send(new CreateDomainNameCommand({ DomainName, DomainNameConfigurations: [{ CertificateArn: 'x' }] }))
    const mapping = { DomainName, ApiId, Stage: 'prod' }
    const { ApiMappingId } = await client.send(new CreateApiMappingCommand({ ...mapping, ApiMappingKey: 'v1' }))
    t.match(await client.send(new GetDomainNamesCommand({})), { Items: [{ DomainName }] })
    await t.rejects(client.send(new DeleteApiCommand({ ApiId })), BadRequestException)
    await client.send(new DeleteApiMappingCommand({ DomainName, ApiMappingId }))
    await client.send(new DeleteDomainNameCommand({ DomainName }))

    const chat = await client.send(
      new CreateApiCommand({
        Name: 'chat',
        ProtocolType: 'WEBSOCKET',
        RouteSelectionExpression: '$request.body.action',
        Description: ''
      })
    )
    const say = await client.send(
      new CreateRouteCommand({ ApiId: chat.ApiId, RouteKey: 'say', RouteResponseSelectionExpression: '$default' })
    )
    const sent = { ApiId: chat.ApiId, RouteId: say.RouteId }
    await client.send(new CreateRouteResponseCommand({ ...sent, RouteResponseKey: '$default' }))
    t.match(await client.send(new GetRouteResponsesCommand(sent)), { Items: [{ RouteResponseKey: '$default' }] })

    await t.rejects(client.send(new CreateRouteCommand(route)), ConflictException)
    await t.rejects(client.send(new GetApiCommand({ ApiId: 'absent' })), NotFoundException)
    await t.rejects(
      client.send(
        new CreateIntegrationCommand({ ApiId, IntegrationType: 'HTTP_PROXY', IntegrationUri: 'https://a.de' })
      ),
      { name: 'BadRequestException', message: /AWS_PROXY to a Lambda function/ }
    )
    const { Items = [] } = await client.send(new GetApisCommand({}))
    for (const one of Items) await client.send(new DeleteApiCommand({ ApiId: one.ApiId }))
    t.strictSame((await client.send(new GetApisCommand({}))).Items, [])
  })

  const find = async (command: string): Promise<string> =>
    (await run('bash', ['-c', `type -P ${command}`]).catch(() => ({ stdout: '' }))).stdout.trim()
  const [python, aws] = [await find('python3'), await find('aws')]
  const hasBoto = await run(python, ['-c', 'import boto3']).then(
    () => true,
    () => false
  )
  await t.test('boto3', { skip: hasBoto ? false : 'python3 has no boto3' }, async (t) => {
    const script = path.join(ROOT, 'test/fixtures/apis-with-boto3.py')
    const outcome = await run(python, [script, hearth.url, accessKeyId, secretAccessKey, FN]).catch(
      (thrown: unknown) => thrown as { stdout: string; stderr: string }
    )
    t.equal(outcome.stdout, 'done\n', outcome.stderr)
  })
  await t.test('AWS CLI', { skip: aws === '' ? 'aws is not on PATH' : false }, async (t) => {
    const env = {
      PATH: process.env['PATH'],
      HOME: t.testdir(),
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true'
    }
    const quick = ['create-api', '--name', 'quick', '--protocol-type', 'HTTP', '--target', FN]
    const { stdout } = await run(aws, ['--endpoint-url', hearth.url, '--output', 'json', 'apigatewayv2', ...quick], {
      env
    })
    const { ApiId } = JSON.parse(stdout) as { ApiId: string }
    t.match(await (await hearth.request(`/v2/apis/${ApiId}/routes`)).json(), {
      items: [{ routeKey: '$default', apiGatewayManaged: true }]
    })
  })
})
