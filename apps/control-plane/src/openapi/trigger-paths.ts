import { idempotencyKey, name, problems } from './gateway-members.ts'

const KINDS = {
  event: { Kind: 'Event', test: 'Send a sample event to the trigger alone' },
  schedule: { Kind: 'Schedule', test: 'Fire the trigger now' },
  'load-balancer': { Kind: 'LoadBalancer', test: 'Check the health of each function now' },
  webhook: { Kind: 'Webhook', test: 'Fire the trigger as a request with the detail as its body would' }
} as const

function pathsOf(kind: keyof typeof KINDS) {
  const { Kind, test } = KINDS[kind]
  const trigger = {
    ...name,
    description: 'Name of the trigger',
    schema: { type: 'string', pattern: '^[.\\-_A-Za-z0-9]{1,64}$' }
  }
  const place = {
    name: kind === 'event' ? 'bus' : 'group',
    in: 'query',
    description: 'Default: `default`',
    schema: { type: 'string' }
  }
  const answer = (description: string) => ({
    description,
    content: { 'application/json': { schema: { type: 'object' } } }
  })
  return {
    [`/v1/triggers/${kind}/{name}/status`]: {
      get: {
        operationId: `get${Kind}TriggerStatus`,
        summary: 'What a trigger did since the gateway began: last events, last error, lag',
        tags: ['triggers'],
        parameters: [trigger, place],
        responses: {
          '200': answer(
            kind === 'load-balancer'
              ? 'fired, failed, lastError, targets with their state'
              : `fired, failed, skipped, ${kind === 'webhook' ? 'refused, repeated, ' : ''}lagMs, problem, lastError, events`
          ),
          '4XX': problems['4XX']
        }
      }
    },
    [`/v1/triggers/${kind}/{name}/test`]: {
      post: {
        operationId: `test${Kind}Trigger`,
        summary: test,
        tags: ['triggers'],
        parameters: [trigger, place, idempotencyKey],
        requestBody: {
          content: {
            'application/json': {
              schema: {
                type: 'object',
                properties: {
                  source: { type: 'string' },
                  detailType: { type: 'string' },
                  detail: { type: 'object' }
                }
              }
            }
          }
        },
        responses: {
          '200': answer('The trigger does not want it: nothing was fired'),
          '202': answer('Fired: matches, and for each function its requestId'),
          '4XX': problems['4XX']
        }
      }
    }
  }
}

const httpTrigger = {
  ...name,
  description: 'Name of the trigger, or id of the API',
  schema: { type: 'string', pattern: '^[.\\-_A-Za-z0-9]{1,64}$' }
}

const httpTriggerPaths = {
  '/v1/triggers/http/{name}/status': {
    get: {
      operationId: 'getHttpTriggerStatus',
      summary: 'What an HTTP API did since the gateway began: requests, refusals, last failures',
      tags: ['triggers'],
      parameters: [httpTrigger],
      responses: {
        '200': {
          description: 'requests, refused, failed, problem, lastError, failures',
          content: { 'application/json': { schema: { type: 'object' } } }
        },
        '4XX': problems['4XX']
      }
    }
  },
  '/v1/triggers/http/{name}/test': {
    post: {
      operationId: 'testHttpTrigger',
      summary: 'Which route of an HTTP API would take a request; nothing runs',
      tags: ['triggers'],
      parameters: [httpTrigger, idempotencyKey],
      requestBody: {
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: {
                method: { type: 'string', default: 'GET' },
                path: { type: 'string', default: '/', description: 'Without the stage' },
                stage: { type: 'string', default: '$default' }
              }
            }
          }
        }
      },
      responses: {
        '200': {
          description: 'matches; if so routeKey, pathParameters, authorization and function',
          content: { 'application/json': { schema: { type: 'object' } } }
        },
        '4XX': problems['4XX']
      }
    }
  }
} as const

const webSocketTriggerPaths = {
  '/v1/triggers/websocket/{name}/status': {
    get: {
      operationId: 'getWebSocketTriggerStatus',
      summary: 'How many clients of a WebSocket API are connected',
      tags: ['triggers'],
      parameters: [httpTrigger],
      responses: {
        '200': {
          description: 'connections, stages, problem',
          content: { 'application/json': { schema: { type: 'object' } } }
        },
        '4XX': problems['4XX']
      }
    }
  },
  '/v1/triggers/websocket/{name}/test': {
    post: {
      operationId: 'testWebSocketTrigger',
      summary: 'Which route of a WebSocket API a message would take; nothing runs',
      tags: ['triggers'],
      parameters: [httpTrigger, idempotencyKey],
      requestBody: {
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: {
                message: { description: 'As a client sends it: a text, or JSON' },
                stage: { type: 'string', description: 'Default: the first' }
              }
            }
          }
        }
      },
      responses: {
        '200': {
          description: 'matches; if so routeKey and function',
          content: { 'application/json': { schema: { type: 'object' } } }
        },
        '4XX': problems['4XX']
      }
    }
  }
} as const

/** What is asked of triggers: how they are, and a sample sent to one. */
export const triggerPaths = {
  ...pathsOf('event'),
  ...pathsOf('schedule'),
  ...pathsOf('webhook'),
  ...pathsOf('load-balancer'),
  ...httpTriggerPaths,
  ...webSocketTriggerPaths
} as const
