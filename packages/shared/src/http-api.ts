import type { ArnScope } from './arn.ts'
import type { CorsConfig } from './function-url.ts'

/**
 * API Gateway's second version: HTTP and WebSocket APIs. What its owner changes is a draft; a stage serves the deployment
 * that it points to, which keeps the draft as it was.
 *
 * @see https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/
 */
export interface Api {
  /** 10 lower-case letters and digits: the first label of its host. */
  readonly id: string
  readonly name: string
  readonly protocol: 'HTTP' | 'WEBSOCKET'
  readonly description?: string | undefined
  readonly version?: string | undefined
  /** HTTP: `$request.method $request.path`; WebSocket: `$request.body.action` or the like. */
  readonly routeSelectionExpression: string
  readonly apiKeySelectionExpression: string
  /** HTTP only. */
  readonly cors?: CorsConfig | undefined
  /** Only custom domains lead to it. */
  readonly disableExecuteApiEndpoint: boolean
  /** WebSocket: of models, which there are none of. Shown again. */
  readonly disableSchemaValidation?: boolean | undefined
  readonly ipAddressType?: string | undefined
  /** Its name in /v1/triggers, where it was made there. */
  readonly trigger?: string | undefined
  readonly tags: Readonly<Record<string, string>>
  /** Unix time in ms. */
  readonly createdAt: number
}

export type RouteAuthorization = 'NONE' | 'AWS_IAM' | 'JWT' | 'CUSTOM'

export interface ApiRoute {
  readonly id: string
  /** HTTP: `GET /pets/{id}`, `ANY /{proxy+}`, `$default`; WebSocket: `$connect`, `$disconnect`, `$default` or a name. */
  readonly key: string
  /** Undefined: the route leads nowhere yet. */
  readonly integrationId?: string | undefined
  readonly authorization: RouteAuthorization
  readonly authorizerId?: string | undefined
  /** JWT: one of them must be among the token's. */
  readonly scopes?: readonly string[] | undefined
  readonly apiKeyRequired: boolean
  readonly operationName?: string | undefined
  /** WebSocket: with `$default` the function's answer goes back to the client. */
  readonly responseSelectionExpression?: string | undefined
  /** WebSocket: route responses, of which there is `$default` alone. */
  readonly responses?: readonly { readonly id: string; readonly key: string }[] | undefined
  /** Of a quick-created API. */
  readonly isManaged?: boolean | undefined
}

/** Where a route leads: a function. */
export interface ApiIntegration {
  readonly id: string
  readonly type: 'AWS_PROXY'
  /** As it was given: a function's ARN, or API Gateway's path to it. */
  readonly uri: string
  /** ARN of the function, with its qualifier. */
  readonly functionArn: string
  readonly method: string
  readonly payloadFormat: '1.0' | '2.0'
  /** 50 to 30,000 (HTTP) or 29,000 (WebSocket). */
  readonly timeoutMs: number
  /** Role that the API takes to invoke; undefined: the function's policy must let it in. */
  readonly credentialsArn?: string | undefined
  readonly description?: string | undefined
  /** WebSocket: shown again; events are text, with Base64 for what is none. */
  readonly contentHandling?: 'CONVERT_TO_TEXT' | undefined
  /** WebSocket: shown again. */
  readonly passthrough?: string | undefined
  /** Of a quick-created API. */
  readonly isManaged?: boolean | undefined
}

export interface ApiAuthorizer {
  readonly id: string
  readonly name: string
  readonly type: 'JWT' | 'REQUEST'
  /**
   * HTTP: `$request.header.Authorization`, `$request.querystring.name`, `$context.path`, `$stageVariables.name`.
   * WebSocket: `route.request.header.Authorization`, `route.request.querystring.name`, `context.…`, `stageVariables.…`.
   */
  readonly identitySources: readonly string[]
  readonly jwt?: { readonly issuer: string; readonly audience: readonly string[] } | undefined
  /** REQUEST: as it was given, and the function that it leads to. */
  readonly uri?: string | undefined
  readonly functionArn?: string | undefined
  readonly payloadFormat?: '1.0' | '2.0' | undefined
  /** `{"isAuthorized": true}` instead of a policy. */
  readonly simpleResponses: boolean
  /** How long an answer is remembered by its identity sources; 0 to 3,600, 0: not at all. */
  readonly ttlSeconds: number
  readonly credentialsArn?: string | undefined
}

/** 0: nothing is let through; undefined: any number. */
export interface RouteThrottle {
  /** Requests per second. */
  readonly rate?: number | undefined
  readonly burst?: number | undefined
}

export interface ApiStage {
  /** `$default`, or the first segment of the path. */
  readonly name: string
  /** Undefined: nothing is served. */
  readonly deploymentId?: string | undefined
  /** Each change is deployed at once. */
  readonly autoDeploy: boolean
  readonly description?: string | undefined
  readonly variables: Readonly<Record<string, string>>
  readonly throttle: RouteThrottle
  /** By route key. */
  readonly routeThrottles: Readonly<Record<string, RouteThrottle>>
  /** What else was given of settings, as it was, to be shown again. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly tags: Readonly<Record<string, string>>
  readonly createdAt: number
  readonly modifiedAt: number
  /** Of a quick-created API. */
  readonly isManaged?: boolean | undefined
}

/** What a deployment keeps of the draft. */
export interface ApiSnapshot {
  readonly routes: readonly ApiRoute[]
  readonly integrations: readonly ApiIntegration[]
  readonly authorizers: readonly ApiAuthorizer[]
}

export interface ApiDeployment extends ApiSnapshot {
  readonly id: string
  readonly description?: string | undefined
  readonly autoDeployed: boolean
  readonly createdAt: number
}

/** A host name of one's own, which leads to stages by the first part of the path. */
export interface ApiDomain {
  /** Lower case, as in DNS. */
  readonly name: string
  readonly tags: Readonly<Record<string, string>>
  /** What was given of certificates and the like, to be shown again: what ends TLS stands before this server. */
  readonly settings: readonly Readonly<Record<string, unknown>>[]
  /** Made by /v1/triggers: it goes with the last mapping. */
  readonly fromTrigger?: boolean | undefined
  readonly createdAt: number
}

export interface ApiMapping {
  readonly id: string
  readonly domain: string
  readonly apiId: string
  readonly stage: string
  /** What the path begins with, without slashes at its ends; `''`: everything else. */
  readonly key: string
}

/** What the gateway serves: stages with what they serve, and hosts. */
export interface PublishedApi {
  readonly api: Api
  readonly stages: readonly { readonly stage: ApiStage; readonly snapshot: ApiSnapshot }[]
}

export const API_ID = /^[a-z0-9]{10}$/

/** Of an API as a resource that is invoked: `arn:aws:execute-api:region:account:api/stage/GET/pets/1`. */
export function executeApiArn({ region, accountId }: ArnScope, apiId: string, stage: string, rest: string): string {
  return `arn:aws:execute-api:${region}:${accountId}:${apiId}/${stage}/${rest}`
}

/** As IAM names what is configured. @param path - `/apis/{id}/routes`, … */
export function apiGatewayArn({ region }: ArnScope, path: string): string {
  return `arn:aws:apigateway:${region}::${path}`
}
