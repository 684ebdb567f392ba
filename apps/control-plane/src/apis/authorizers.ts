import type { Api, ApiAuthorizer } from '@hearth/shared'
import { z } from 'zod'
import { type Drafts, merged, orNone } from './drafts.ts'
import { isEmpty, Name, RoleArn, Unserved, Uri } from './model.ts'
import { badRequest, conflict, inUse, unsupported } from './refusals.ts'

export const CreateAuthorizerInput = z.strictObject({
  name: Name,
  authorizerType: z.enum(['JWT', 'REQUEST']),
  identitySource: z.array(z.string().min(1).max(1_024)).max(20).optional(),
  jwtConfiguration: z
    .strictObject({ issuer: Uri.optional(), audience: z.array(z.string().min(1).max(1_024)).max(50).optional() })
    .optional(),
  authorizerUri: Uri.optional(),
  authorizerPayloadFormatVersion: z.string().optional(),
  enableSimpleResponses: z.boolean().optional(),
  authorizerResultTtlInSeconds: z.int().min(0).max(3_600).optional(),
  authorizerCredentialsArn: RoleArn.optional(),
  identityValidationExpression: Unserved
})
export const UpdateAuthorizerInput = CreateAuthorizerInput.partial()
export type AuthorizerInput = z.output<typeof CreateAuthorizerInput>

/** Who says who may call. */
export interface Authorizers {
  create(apiId: string, input: AuthorizerInput): ApiAuthorizer
  update(apiId: string, id: string, change: z.output<typeof UpdateAuthorizerInput>): ApiAuthorizer
  /** @throws HearthError RESOURCE_IN_USE while a route has it */
  remove(apiId: string, id: string): void
}

/** A header's name. Source: RFC 9110 §5.6.2. */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const SOURCES = {
  HTTP: new RegExp(
    `^\\$(request\\.header\\.${TOKEN}|request\\.querystring\\.[^\\s.]+|context\\.[A-Za-z0-9.]+|stageVariables\\.[A-Za-z0-9_]+)$`
  ),
  WEBSOCKET: new RegExp(
    `^(route\\.request\\.header\\.${TOKEN}|route\\.request\\.querystring\\.[^\\s.]+|context\\.[A-Za-z0-9.]+|stageVariables\\.[A-Za-z0-9_]+)$`
  )
}
const EXAMPLES = {
  HTTP: '$request.header.Authorization, $request.querystring.token, $context.path or $stageVariables.name',
  WEBSOCKET: 'route.request.header.Authorization, route.request.querystring.token, context.stage or stageVariables.name'
}

export function createAuthorizers(drafts: Drafts): Authorizers {
  const { repository } = drafts

  function made(api: Api, id: string, input: AuthorizerInput): ApiAuthorizer {
    if (!isEmpty(input.identityValidationExpression)) {
      throw unsupported('identityValidationExpression is not supported by this server.', 'identityValidationExpression')
    }
    const { name, authorizerType: type, identitySource: identitySources = [] } = input
    if (drafts.all(api.id, 'authorizer').some((other) => other.id !== id && other.name === name)) {
      throw conflict(`Authorizer with name ${name} already exists for this API`)
    }
    const wrong = identitySources.find((source) => !SOURCES[api.protocol].test(source))
    if (wrong !== undefined) {
      throw badRequest(`Invalid identity source ${wrong}: ${EXAMPLES[api.protocol]} is expected.`, 'identitySource')
    }
    const common = { id, name, type, identitySources }
    return type === 'JWT' ? { ...common, ...jwtOf(api, input) } : { ...common, ...lambdaOf(api, input) }
  }

  function jwtOf({ protocol }: Api, input: AuthorizerInput) {
    if (protocol === 'WEBSOCKET') throw badRequest('Authorizers of type JWT are for HTTP APIs alone.', 'authorizerType')
    const { issuer, audience = [] } = input.jwtConfiguration ?? {}
    if (issuer === undefined || audience.length === 0) {
      throw badRequest('jwtConfiguration needs an issuer and at least one audience.', 'jwtConfiguration')
    }
    const { protocol: scheme, search, hash, host } = urlIn(issuer)
    if (!/^https?:$/.test(scheme) || host === '' || search !== '' || hash !== '') {
      throw badRequest(
        `Invalid issuer ${issuer}: it must be the https (or http) URL below which /.well-known/openid-configuration is.`,
        'jwtConfiguration.issuer'
      )
    }
    const sources = input.identitySource ?? []
    if (sources.length !== 1 || !/^\$request\.(header|querystring)\./.test(sources[0]!)) {
      throw badRequest(
        'An authorizer of type JWT has one identity source: $request.header.name or $request.querystring.name.',
        'identitySource'
      )
    }
    const other = (['authorizerUri', 'authorizerPayloadFormatVersion', 'authorizerCredentialsArn'] as const).find(
      (member) => !isEmpty(input[member])
    )
    if (other !== undefined) throw badRequest(`${other} is for authorizers of type REQUEST.`, other)
    return { jwt: { issuer, audience }, simpleResponses: false, ttlSeconds: 0 }
  }

  function lambdaOf({ protocol }: Api, input: AuthorizerInput) {
    const { authorizerUri: uri, identitySource = [], enableSimpleResponses: simpleResponses = false } = input
    if (input.jwtConfiguration !== undefined && !isEmpty(input.jwtConfiguration)) {
      throw badRequest('jwtConfiguration is for authorizers of type JWT.', 'jwtConfiguration')
    }
    if (uri === undefined) throw badRequest('authorizerUri is required: the function to ask.', 'authorizerUri')
    const functionArn = drafts.functionIn(uri, 'authorizerUri')
    const ttlSeconds = input.authorizerResultTtlInSeconds ?? 0
    const credentialsArn = orNone(input.authorizerCredentialsArn)
    if (credentialsArn !== undefined) drafts.requireRole(credentialsArn)
    const common = { uri, functionArn, credentialsArn, simpleResponses, ttlSeconds }
    const version = orNone(input.authorizerPayloadFormatVersion)
    if (protocol === 'WEBSOCKET') {
      if (version === undefined && !simpleResponses && ttlSeconds === 0) return common
      throw badRequest(
        'authorizerPayloadFormatVersion, enableSimpleResponses and authorizerResultTtlInSeconds are for HTTP APIs.'
      )
    }
    if (version !== '1.0' && version !== '2.0') {
      const member = 'authorizerPayloadFormatVersion'
      throw badRequest(`${member} is required for HTTP APIs: 1.0 or 2.0.`, member)
    }
    if (simpleResponses && version === '1.0') {
      throw badRequest('enableSimpleResponses goes with authorizerPayloadFormatVersion 2.0.', 'enableSimpleResponses')
    }
    if (ttlSeconds > 0 && identitySource.length === 0) {
      throw badRequest('Without an identity source there is nothing to remember answers by.', 'identitySource')
    }
    return { ...common, payloadFormat: version } as const
  }

  return {
    create: (apiId, input) =>
      drafts.change(apiId, (api) => {
        drafts.requireRoom(apiId, 'authorizer')
        const authorizer = made(api, drafts.newPartId(), input)
        repository.putPart(apiId, 'authorizer', authorizer)
        return authorizer
      }),
    update: (apiId, id, change) =>
      drafts.change(apiId, (api) => {
        const before = drafts.part(apiId, 'authorizer', id)
        const jwtConfiguration = change.jwtConfiguration && { ...before.jwt, ...change.jwtConfiguration }
        const authorizer = made(api, id, merged(inputOf(before), { ...change, jwtConfiguration }))
        if (authorizer.type !== before.type) requireUnused(apiId, before)
        repository.putPart(apiId, 'authorizer', authorizer)
        return authorizer
      }),
    remove: (apiId, id) => {
      drafts.change(apiId, () => {
        requireUnused(apiId, drafts.part(apiId, 'authorizer', id))
        repository.removePart(apiId, 'authorizer', id)
      })
    }
  }

  function requireUnused(apiId: string, { id, name }: ApiAuthorizer): void {
    const route = drafts.all(apiId, 'route').find(({ authorizerId }) => authorizerId === id)
    if (route !== undefined) throw inUse(`Authorizer '${name}' (${id}) is referenced by Route: ${route.key}`)
  }
}

export function authorizerView(authorizer: ApiAuthorizer): object {
  const { id, name, type, identitySources, jwt } = authorizer
  const common = { authorizerId: id, name, authorizerType: type, identitySource: identitySources }
  if (jwt !== undefined) return { ...common, jwtConfiguration: jwt }
  return {
    ...common,
    authorizerUri: authorizer.uri,
    authorizerCredentialsArn: authorizer.credentialsArn,
    ...(authorizer.payloadFormat === undefined
      ? {}
      : {
          authorizerPayloadFormatVersion: authorizer.payloadFormat,
          enableSimpleResponses: authorizer.simpleResponses,
          authorizerResultTtlInSeconds: authorizer.ttlSeconds
        })
  }
}

function inputOf(authorizer: ApiAuthorizer): AuthorizerInput {
  const { jwt } = authorizer
  const common = {
    name: authorizer.name,
    authorizerType: authorizer.type,
    identitySource: [...authorizer.identitySources]
  }
  if (jwt !== undefined) return { ...common, jwtConfiguration: { ...jwt, audience: [...jwt.audience] } }
  return {
    ...common,
    authorizerUri: authorizer.uri,
    authorizerPayloadFormatVersion: authorizer.payloadFormat,
    enableSimpleResponses: authorizer.simpleResponses,
    authorizerResultTtlInSeconds: authorizer.ttlSeconds,
    authorizerCredentialsArn: authorizer.credentialsArn
  }
}

function urlIn(text: string): URL {
  try {
    return new URL(text)
  } catch {
    throw badRequest(`Invalid issuer ${text}: it must be an https URL.`, 'jwtConfiguration.issuer')
  }
}
