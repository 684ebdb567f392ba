import { idempotencyKey, name, problems } from './gateway-members.ts'

const urlId = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'As in the URL',
  schema: { type: 'string', pattern: '^[a-z0-9]{32}$' }
} as const

/** Where functions are called by those who have no key of this server, and as if they were URLs. */
export const entrancePaths = {
  '/lb/{name}': {
    get: {
      operationId: 'callLoadBalancer',
      summary: 'Call what is behind a load balancer: any method, any path below',
      description:
        'Rules say which function gets it, as an ALB’s event. Browsers show pages served here in an origin of their own.',
      tags: ['invocations'],
      security: [],
      parameters: [
        {
          name: 'name',
          in: 'path',
          required: true,
          description: 'Name of the trigger',
          schema: { type: 'string', pattern: '^[A-Za-z0-9-]{1,32}$' }
        }
      ],
      responses: { default: { description: 'What the function makes of it', content: { '*/*': { schema: {} } } } }
    }
  },
  '/hooks/{id}': {
    post: {
      operationId: 'sendToWebhook',
      summary: 'Send a webhook something, as its sender does',
      description: 'The methods are those of the webhook. Its own verification holds; no key of this server is asked.',
      tags: ['invocations'],
      security: [],
      parameters: [urlId],
      requestBody: { content: { '*/*': { schema: {} } } },
      responses: {
        '200': {
          description: "Slack's question who owns the URL, answered",
          content: { 'text/plain': { schema: {} } }
        },
        '202': {
          description: 'What becomes of it is on disk; the same for a delivery that came before',
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['requestId', 'status'],
                properties: { requestId: { type: 'string' }, status: { type: 'string', enum: ['accepted'] } }
              }
            }
          }
        },
        ...problems
      }
    }
  },
  '/url/{id}': {
    get: {
      operationId: 'callFunctionUrlByPath',
      summary: 'A function URL by its path: any method, any path below',
      description:
        "For where `{id}.lambda-url.localhost` does not resolve. The URL's own authentication holds, none for AuthType NONE. Browsers show pages served here in an origin of their own.",
      tags: ['invocations'],
      parameters: [urlId],
      responses: { default: { description: 'What the function makes of it', content: { '*/*': { schema: {} } } } }
    }
  },
  '/api/{id}': {
    get: {
      operationId: 'callApiByPath',
      summary: 'An HTTP API by its path: any method, any path below',
      description:
        "For where `{id}.lambda-url.localhost` does not resolve. The authorizers of the API's routes hold. Browsers show pages served here in an origin of their own.",
      tags: ['invocations'],
      parameters: [
        {
          name: 'id',
          in: 'path',
          required: true,
          description: 'Of the API',
          schema: { type: 'string', pattern: '^[a-z0-9]{10}$' }
        }
      ],
      responses: { default: { description: 'What its routes make of it', content: { '*/*': { schema: {} } } } }
    }
  },
  '/fn/{name}': {
    post: {
      operationId: 'callFunctionUrl',
      summary: 'Call a function as its URL: any method, any path below',
      description:
        'The function gets a function URL event (payload format 2.0), and its result becomes the response; with invokeMode RESPONSE_STREAM as it comes. Every other method and every path below /fn/{name}/ do the same. /fn/{name}:{qualifier} calls a version or goes through an alias.',
      tags: ['invocations'],
      parameters: [name, idempotencyKey],
      requestBody: { content: { '*/*': { schema: {} } } },
      responses: { default: { description: 'What the function makes of it', content: { '*/*': { schema: {} } } } }
    }
  }
} as const
