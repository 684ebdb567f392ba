import type { Api, ApiIntegration } from '@hearth/shared'
import { z } from 'zod'
import { type Drafts, merged, orNone } from './drafts.ts'
import { Description, isEmpty, RoleArn, Unserved, Uri } from './model.ts'
import { badRequest, inUse, unsupported } from './refusals.ts'

const Input = z.strictObject({
  integrationType: z.enum(['AWS', 'HTTP', 'MOCK', 'HTTP_PROXY', 'AWS_PROXY']),
  integrationUri: Uri.optional(),
  integrationMethod: z.enum(['ANY', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']).optional(),
  payloadFormatVersion: z.string().optional(),
  timeoutInMillis: z.int().optional(),
  credentialsArn: RoleArn.optional(),
  description: Description.optional(),
  connectionType: z.enum(['INTERNET', 'VPC_LINK']).optional(),
  contentHandlingStrategy: z.enum(['CONVERT_TO_BINARY', 'CONVERT_TO_TEXT']).optional(),
  passthroughBehavior: z.enum(['WHEN_NO_MATCH', 'NEVER', 'WHEN_NO_TEMPLATES']).optional(),
  connectionId: Unserved,
  integrationSubtype: Unserved,
  requestParameters: Unserved,
  requestTemplates: Unserved,
  responseParameters: Unserved,
  templateSelectionExpression: Unserved,
  tlsConfig: Unserved
})
export const CreateIntegrationInput = Input
export const UpdateIntegrationInput = Input.partial()
export type IntegrationInput = z.output<typeof CreateIntegrationInput>

const UNSERVED = [
  'connectionId',
  'integrationSubtype',
  'requestParameters',
  'requestTemplates',
  'responseParameters',
  'templateSelectionExpression',
  'tlsConfig'
] as const
const MAX_MS = { HTTP: 30_000, WEBSOCKET: 29_000 }
const MIN_MS = 50

/** Where routes lead: functions. */
export interface Integrations {
  create(apiId: string, input: IntegrationInput, isManaged?: true): ApiIntegration
  update(apiId: string, id: string, change: z.output<typeof UpdateIntegrationInput>): ApiIntegration
  /** @throws HearthError RESOURCE_IN_USE while a route leads to it */
  remove(apiId: string, id: string): void
}

export function createIntegrations(drafts: Drafts): Integrations {
  const { repository } = drafts

  function made({ protocol }: Api, id: string, input: IntegrationInput): ApiIntegration {
    refuseUnserved(input)
    const uri = input.integrationUri
    if (uri === undefined) throw badRequest('integrationUri is required: the function to invoke.', 'integrationUri')
    const functionArn = drafts.functionIn(uri, 'integrationUri')
    const timeoutMs = input.timeoutInMillis ?? MAX_MS[protocol]
    if (timeoutMs < MIN_MS || timeoutMs > MAX_MS[protocol]) {
      throw badRequest(
        `Timeout should be between ${MIN_MS} ms and ${MAX_MS[protocol]} ms for ${protocol} APIs.`,
        'timeoutInMillis'
      )
    }
    const credentialsArn = orNone(input.credentialsArn)
    if (credentialsArn !== undefined) drafts.requireRole(credentialsArn)
    if (protocol === 'HTTP' && (input.contentHandlingStrategy ?? input.passthroughBehavior) !== undefined) {
      throw badRequest('contentHandlingStrategy and passthroughBehavior are supported only for WebSocket APIs.')
    }
    if (input.contentHandlingStrategy === 'CONVERT_TO_BINARY') {
      throw unsupported(
        'contentHandlingStrategy CONVERT_TO_BINARY is not supported: events are JSON, with Base64 for binary messages.',
        'contentHandlingStrategy'
      )
    }
    return {
      id,
      type: 'AWS_PROXY',
      uri,
      functionArn,
      method: input.integrationMethod ?? 'POST',
      payloadFormat: payloadFormatOf(protocol, input.payloadFormatVersion),
      timeoutMs,
      credentialsArn,
      description: orNone(input.description),
      contentHandling: input.contentHandlingStrategy,
      passthrough: protocol === 'HTTP' ? undefined : (input.passthroughBehavior ?? 'WHEN_NO_MATCH')
    }
  }

  return {
    create: (apiId, input, isManaged) =>
      drafts.change(apiId, (api) => {
        drafts.requireRoom(apiId, 'integration')
        const integration = { ...made(api, drafts.newPartId(), input), isManaged }
        repository.putPart(apiId, 'integration', integration)
        return integration
      }),
    update: (apiId, id, change) =>
      drafts.change(apiId, (api) => {
        const before = drafts.part(apiId, 'integration', id)
        const integration = { ...made(api, id, merged(inputOf(before), change)), isManaged: before.isManaged }
        repository.putPart(apiId, 'integration', integration)
        return integration
      }),
    remove: (apiId, id) => {
      drafts.change(apiId, () => {
        const { isManaged } = drafts.part(apiId, 'integration', id)
        if (isManaged === true) throw badRequest(`Integration ${id} is managed by API Gateway and cannot be deleted.`)
        const route = drafts.all(apiId, 'route').find(({ integrationId }) => integrationId === id)
        if (route !== undefined) throw inUse(`Cannot delete Integration '${id}', referenced by Route: ${route.key}`)
        repository.removePart(apiId, 'integration', id)
      })
    }
  }
}

export function integrationView(integration: ApiIntegration): object {
  return {
    ...(integration.isManaged === true ? { apiGatewayManaged: true } : {}),
    connectionType: 'INTERNET',
    contentHandlingStrategy: integration.contentHandling,
    credentialsArn: integration.credentialsArn,
    description: integration.description,
    integrationId: integration.id,
    integrationMethod: integration.method,
    integrationType: integration.type,
    integrationUri: integration.uri,
    passthroughBehavior: integration.passthrough,
    payloadFormatVersion: integration.payloadFormat,
    timeoutInMillis: integration.timeoutMs
  }
}

function inputOf(integration: ApiIntegration): IntegrationInput {
  return {
    integrationType: integration.type,
    integrationUri: integration.uri,
    integrationMethod: integration.method as IntegrationInput['integrationMethod'],
    payloadFormatVersion: integration.payloadFormat,
    timeoutInMillis: integration.timeoutMs,
    credentialsArn: integration.credentialsArn,
    description: integration.description,
    contentHandlingStrategy: integration.contentHandling,
    passthroughBehavior: integration.passthrough as IntegrationInput['passthroughBehavior']
  }
}

function refuseUnserved(input: IntegrationInput): void {
  if (input.integrationType !== 'AWS_PROXY') {
    throw unsupported(
      `integrationType ${input.integrationType} is not in this release: AWS_PROXY to a Lambda function is.`,
      'integrationType'
    )
  }
  if (input.connectionType === 'VPC_LINK') {
    throw unsupported('connectionType VPC_LINK is not supported: functions need no link.', 'connectionType')
  }
  const member = UNSERVED.find((name) => !isEmpty(input[name]))
  if (member !== undefined) throw unsupported(`${member} is not supported by this server.`, member)
}

function payloadFormatOf(protocol: Api['protocol'], version: string | undefined): '1.0' | '2.0' {
  if (protocol === 'WEBSOCKET') {
    if (version === undefined || version === '1.0') return '1.0'
    throw badRequest('payloadFormatVersion must be 1.0 for WebSocket APIs.', 'payloadFormatVersion')
  }
  if (version === '1.0' || version === '2.0') return version
  throw badRequest(
    version === undefined
      ? 'PayloadFormatVersion is a required parameter for integration'
      : 'payloadFormatVersion must be 1.0 or 2.0.',
    'payloadFormatVersion'
  )
}
