import path from 'node:path'
import type { Api, ApiAuthorizer, ApiIntegration, ApiRoute, ApiStage } from '@hearth/shared'
import { type ApisRepository, createApisRepository, openStore } from '@hearth/store'
import { ROOT } from './hearth.ts'

export const API = 'a1b2c3d4e5'
export const HOST = `${API}.lambda-url.localhost`
const AT = Date.parse('2026-01-02T03:04:05.000Z')
const ACCOUNT = '000000000000'
const FUNCTION = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:hello`

export const apiOf = (changes: Partial<Api> = {}): Api => ({
  id: API,
  name: 'shop',
  trigger: 'shop',
  protocol: 'HTTP',
  routeSelectionExpression: '$request.method $request.path',
  apiKeySelectionExpression: '$request.header.x-api-key',
  disableExecuteApiEndpoint: false,
  tags: {},
  createdAt: AT,
  ...changes
})

export const stageOf = (changes: Partial<ApiStage> = {}): ApiStage => ({
  name: '$default',
  autoDeploy: true,
  variables: {},
  throttle: {},
  routeThrottles: {},
  settings: {},
  tags: {},
  createdAt: AT,
  modifiedAt: AT,
  ...changes
})

/** What a route is to be, beside its key. */
export type RouteChanges = Partial<Omit<ApiRoute, 'id' | 'key'>> & { readonly integration?: Partial<ApiIntegration> }

/** The policy of a function that lets every API in. */
export const letsApisIn = (source = `arn:aws:execute-api:us-east-1:${ACCOUNT}:${API}/*`) => ({
  revisionId: '1',
  statements: [
    {
      Sid: 'api',
      Effect: 'Allow' as const,
      Principal: { Service: 'apigateway.amazonaws.com' },
      Action: 'lambda:InvokeFunction',
      Resource: FUNCTION,
      Condition: { ArnLike: { 'AWS:SourceArn': source } }
    }
  ]
})

let deployments = 0

/** Writes an API with these routes, deployed to these stages. */
export function publish(
  { apis }: { readonly apis: ApisRepository },
  routes: Readonly<Record<string, RouteChanges>>,
  options: {
    readonly api?: Partial<Api>
    readonly stages?: readonly Partial<ApiStage>[]
    readonly authorizers?: readonly ApiAuthorizer[]
  } = {}
): void {
  const api = apiOf(options.api)
  apis.put(api)
  deployments += 1
  const deploymentId = `d${deployments}`
  const list = Object.entries(routes)
  apis.putPart(api.id, 'deployment', {
    id: deploymentId,
    autoDeployed: true,
    createdAt: AT,
    routes: list.map(([key, { authorization = 'NONE', apiKeyRequired = false, authorizerId }], i) => ({
      id: `r${i}`,
      key,
      integrationId: `i${i}`,
      authorization,
      apiKeyRequired,
      authorizerId
    })),
    integrations: list.map(([, { integration }], i) => ({
      id: `i${i}`,
      type: 'AWS_PROXY',
      uri: FUNCTION,
      functionArn: FUNCTION,
      method: 'POST',
      payloadFormat: '2.0',
      timeoutMs: 30_000,
      ...integration
    })),
    authorizers: options.authorizers ?? []
  })
  for (const stage of options.stages ?? [{}]) apis.putPart(api.id, 'stage', stageOf({ ...stage, deploymentId }))
}

/** Writes APIs into the database of a server that runs, where its gateway finds them. */
export function openApis(dataDir: string): { readonly apis: ApisRepository; close(): void } {
  const db = openStore(path.join(dataDir, 'hearth.db'), path.join(ROOT, 'migrations'))
  return { apis: createApisRepository(db), close: () => void db.close() }
}
