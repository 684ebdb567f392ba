import type { Api, CorsConfig } from '@hearth/shared'
import { z } from 'zod'
import { randomId } from '../random-id.ts'
import { type Authorizers, createAuthorizers } from './authorizers.ts'
import { checkApiCors } from './cors.ts'
import { createDeployments, type Deployments } from './deployments.ts'
import { createDomains, type Domains } from './domains.ts'
import { type ApisDeps, createDrafts, type Drafts, orNone } from './drafts.ts'
import { createIntegrations, type Integrations } from './integrations.ts'
import { Description, isEmpty, isoSeconds, Name, RoleArn, Tags, Uri } from './model.ts'
import { badRequest, tooMany } from './refusals.ts'
import { checkTags, createResourceTags, type ResourceTags } from './resource-tags.ts'
import { createRoutes, type Routes } from './routes.ts'
import { createStages, type Stages } from './stages.ts'

const Header = z.array(z.string().min(1).max(256)).max(100)
export const Cors = z.strictObject({
  allowCredentials: z.boolean().optional(),
  allowHeaders: Header.optional(),
  allowMethods: Header.optional(),
  allowOrigins: Header.optional(),
  exposeHeaders: Header.optional(),
  maxAge: z.int().min(-1).max(86_400).optional()
})
const Settings = {
  description: Description.optional(),
  version: z.string().max(64).optional(),
  routeSelectionExpression: z.string().optional(),
  apiKeySelectionExpression: z.string().optional(),
  corsConfiguration: Cors.optional(),
  disableExecuteApiEndpoint: z.boolean().optional(),
  disableSchemaValidation: z.boolean().optional(),
  ipAddressType: z.enum(['ipv4', 'dualstack']).optional(),
  // Of a quick-created one.
  routeKey: z.string().optional(),
  target: Uri.optional(),
  credentialsArn: RoleArn.optional()
}
export const CreateApiInput = z.strictObject({
  ...Settings,
  name: Name,
  protocolType: z.enum(['HTTP', 'WEBSOCKET']),
  tags: Tags.optional()
})
export const UpdateApiInput = z.strictObject({ ...Settings, name: Name.optional() })
type CreateApi = z.output<typeof CreateApiInput>
type UpdateApi = z.output<typeof UpdateApiInput>

/** HTTP and WebSocket APIs with all that belongs to them: the use cases behind AWS's calls and /v1. */
export interface Apis {
  readonly drafts: Drafts
  readonly integrations: Integrations
  readonly routes: Routes
  readonly authorizers: Authorizers
  readonly stages: Stages
  readonly deployments: Deployments
  readonly domains: Domains
  readonly tags: ResourceTags
  /** @param trigger - Its name in /v1 */
  create(input: CreateApi, trigger?: string): Api
  update(id: string, change: UpdateApi): Api
  /** @throws HearthError INVALID_REQUEST while a domain leads to it */
  remove(id: string): void
  removeCors(id: string): void
}

const MAX_APIS = 600
const API_ID_CHARS = 10
const HTTP_SELECTION = '$request.method $request.path'
const HTTP_SELECTIONS = new Set([HTTP_SELECTION, '${request.method} ${request.path}'])
/** One member of the message. */
const WEBSOCKET_SELECTION = /^(\$request\.body(\.[A-Za-z0-9_-]+)+|\$\{request\.body(\.[A-Za-z0-9_-]+)+\})$/
const KEY_SELECTION = '$request.header.x-api-key'
const KEY_SELECTIONS = new Set([KEY_SELECTION, '$context.authorizer.usageIdentifierKey'])

export function createApis(deps: ApisDeps): Apis {
  const drafts = createDrafts(deps)
  const { repository, now, exclusively } = drafts
  const integrations = createIntegrations(drafts)
  const routes = createRoutes(drafts)
  const authorizers = createAuthorizers(drafts)
  const stages = createStages(drafts)

  /** An integration with a function, a route to it, and a stage that serves it at once. */
  function quickCreate(api: Api, { target, routeKey = '$default', credentialsArn }: CreateApi): void {
    if (api.protocol !== 'HTTP') throw badRequest('Quick create is supported only for HTTP APIs.', 'target')
    const integration = integrations.create(
      api.id,
      { integrationType: 'AWS_PROXY', integrationUri: target, payloadFormatVersion: '2.0', credentialsArn },
      true
    )
    routes.create(api.id, { routeKey, target: `integrations/${integration.id}` }, true)
    stages.create(api.id, { stageName: '$default', autoDeploy: true }, true)
  }

  function quickUpdate({ id }: Api, { target, routeKey, credentialsArn }: UpdateApi): void {
    if ((target ?? routeKey ?? credentialsArn) === undefined) return
    const integration = drafts.all(id, 'integration').find(({ isManaged }) => isManaged)
    const route = drafts.all(id, 'route').find(({ isManaged }) => isManaged)
    if (integration === undefined || route === undefined) {
      throw badRequest('target, routeKey and credentialsArn are for APIs that were made by quick create.', 'target')
    }
    integrations.update(id, integration.id, { integrationUri: target, credentialsArn })
    if (routeKey !== undefined && routeKey !== route.key) {
      repository.removePart(id, 'route', route.id)
      routes.create(id, { routeKey, target: `integrations/${integration.id}` }, true)
    }
  }

  return {
    drafts,
    integrations,
    routes,
    authorizers,
    stages,
    deployments: createDeployments(drafts),
    domains: createDomains(drafts),
    tags: createResourceTags(drafts),
    create: (input, trigger) =>
      exclusively(() => {
        if (repository.count() >= MAX_APIS) throw tooMany('APIs', MAX_APIS)
        const { tags = {}, protocolType: protocol, name } = input
        checkTags(tags)
        let id = randomId(API_ID_CHARS)
        while (repository.find(id) !== undefined) id = randomId(API_ID_CHARS)
        const api: Api = {
          id,
          name,
          protocol,
          ...settingsOf(protocol, undefined, input),
          ipAddressType: input.ipAddressType ?? 'ipv4',
          trigger,
          tags,
          createdAt: now().getTime()
        }
        repository.put(api)
        if (input.target !== undefined) quickCreate(api, input)
        else if ((input.routeKey ?? orNone(input.credentialsArn)) !== undefined) {
          throw badRequest('routeKey and credentialsArn go with target: quick create.', 'target')
        }
        return api
      }),
    update: (id, change) =>
      drafts.change(id, (before) => {
        const api = {
          ...before,
          ...settingsOf(before.protocol, before, change),
          name: change.name ?? before.name,
          ipAddressType: change.ipAddressType ?? before.ipAddressType
        }
        repository.put(api)
        quickUpdate(api, change)
        return api
      }),
    remove: (id) => {
      exclusively(() => {
        drafts.get(id)
        if (repository.countMappings(id) > 0) {
          throw badRequest(`API ${id} cannot be deleted while API mappings of custom domains lead to it.`)
        }
        repository.remove(id)
      })
    },
    removeCors: (id) => {
      exclusively(() => repository.put({ ...drafts.get(id), cors: undefined }))
    }
  }
}

/** @param origin - Scheme and authority by which the caller came */
export function apiEndpoint({ id, protocol }: Api, urlDomain: string, origin: string): string {
  const { protocol: scheme, port } = new URL(origin)
  const isSecure = scheme === 'https:'
  const own = protocol === 'HTTP' ? scheme : isSecure ? 'wss:' : 'ws:'
  return `${own}//${id}.${urlDomain}${port === '' ? '' : `:${port}`}`
}

export function apiView(api: Api, { urlDomain }: Drafts, origin: string): object {
  return {
    apiEndpoint: apiEndpoint(api, urlDomain, origin),
    apiId: api.id,
    apiKeySelectionExpression: api.apiKeySelectionExpression,
    corsConfiguration: api.cors,
    createdDate: isoSeconds(api.createdAt),
    description: api.description,
    disableExecuteApiEndpoint: api.disableExecuteApiEndpoint,
    disableSchemaValidation: api.disableSchemaValidation,
    ipAddressType: api.ipAddressType,
    name: api.name,
    protocolType: api.protocol,
    routeSelectionExpression: api.routeSelectionExpression,
    tags: api.tags,
    version: api.version
  }
}

type ApiSettings = Pick<
  Api,
  | 'description'
  | 'version'
  | 'routeSelectionExpression'
  | 'apiKeySelectionExpression'
  | 'cors'
  | 'disableExecuteApiEndpoint'
  | 'disableSchemaValidation'
>

function settingsOf(protocol: Api['protocol'], before: Api | undefined, input: UpdateApi): ApiSettings {
  const cors = isEmpty(input.corsConfiguration) ? undefined : (input.corsConfiguration as CorsConfig)
  if (cors !== undefined && protocol === 'WEBSOCKET') {
    throw badRequest('corsConfiguration is supported only for HTTP APIs.', 'corsConfiguration')
  }
  checkApiCors(cors)
  const keySelection = orNone(input.apiKeySelectionExpression) ?? before?.apiKeySelectionExpression ?? KEY_SELECTION
  if (!KEY_SELECTIONS.has(keySelection)) {
    throw badRequest(
      `Invalid apiKeySelectionExpression: ${[...KEY_SELECTIONS].join(' or ')} is expected.`,
      'apiKeySelectionExpression'
    )
  }
  return {
    description: input.description === undefined ? before?.description : orNone(input.description),
    version: input.version === undefined ? before?.version : orNone(input.version),
    routeSelectionExpression: selectionOf(
      protocol,
      orNone(input.routeSelectionExpression) ?? before?.routeSelectionExpression
    ),
    apiKeySelectionExpression: keySelection,
    cors: input.corsConfiguration === undefined ? before?.cors : cors,
    disableExecuteApiEndpoint: input.disableExecuteApiEndpoint ?? before?.disableExecuteApiEndpoint ?? false,
    disableSchemaValidation: input.disableSchemaValidation ?? before?.disableSchemaValidation
  }
}

function selectionOf(protocol: Api['protocol'], expression: string | undefined): string {
  const member = 'routeSelectionExpression'
  if (protocol === 'HTTP') {
    if (expression === undefined || HTTP_SELECTIONS.has(expression)) return expression ?? HTTP_SELECTION
    throw badRequest(`Invalid ${member}: HTTP APIs have ${HTTP_SELECTION}.`, member)
  }
  if (expression === undefined) throw badRequest(`${member} is required for WebSocket APIs.`, member)
  if (WEBSOCKET_SELECTION.test(expression)) return expression
  throw badRequest(
    `Invalid ${member} ${expression}: a member of the message is expected, as in $request.body.action.`,
    member
  )
}
