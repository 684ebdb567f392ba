import { CURSOR_DESCRIPTION } from '../http/cursor.ts'
import { idempotencyKey, JSON_ANY, name, problems } from './gateway-members.ts'

const invocationRecord = {
  type: 'object',
  required: ['requestId', 'functionName', 'status', 'attempts', 'acceptedAt'],
  properties: {
    requestId: { type: 'string' },
    functionName: { type: 'string' },
    qualifier: { type: 'string', description: 'As the caller gave it' },
    status: { type: 'string', enum: ['queued', 'running', 'succeeded', 'failed'] },
    attempts: { type: 'integer', description: 'How often the function was tried' },
    condition: { type: 'string', description: 'Why it is over', examples: ['Success', 'RetriesExhausted'] },
    acceptedAt: { type: 'string' },
    nextAttemptAt: { type: 'string' },
    startedAt: { type: 'string', description: 'Of the last attempt' },
    endedAt: { type: 'string', description: 'Of the last attempt' },
    error: { type: 'object', properties: { type: { type: 'string' }, message: { type: 'string' } } }
  }
} as const

const deliveryRecord = {
  type: 'object',
  required: ['id', 'purpose', 'target', 'status', 'failedAttempts'],
  properties: {
    id: { type: 'string', description: 'What the receiver knows it by' },
    purpose: { type: 'string', enum: ['OnSuccess', 'OnFailure', 'DeadLetter'] },
    target: { type: 'string', description: 'An ARN, or the URL of a webhook' },
    status: { type: 'string', enum: ['pending', 'delivered', 'failed'] },
    failedAttempts: { type: 'integer' },
    endedAt: { type: 'string' },
    error: { type: 'string', description: 'Of the last attempt' }
  }
} as const

const oneInvocation = {
  ...invocationRecord,
  properties: {
    ...invocationRecord.properties,
    deliveries: { type: 'array', description: 'What was sent of it to whom', items: deliveryRecord }
  }
} as const

/** Running functions, events that are run later, and what was logged. */
export const invocationPaths = {
  '/v1/invocations/{requestId}': {
    get: {
      operationId: 'getInvocation',
      summary: 'How an event is doing that was sent with Prefer: respond-async',
      tags: ['invocations'],
      parameters: [{ name: 'requestId', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }],
      responses: {
        '200': { description: 'Its record', content: { 'application/json': { schema: oneInvocation } } },
        ...problems
      }
    }
  },
  '/v1/functions/{name}/dead-letters/redrive': {
    post: {
      operationId: 'redriveDeadLetters',
      summary: "Run a function's failed events again, under their old ids",
      tags: ['invocations'],
      parameters: [name, idempotencyKey],
      responses: {
        '202': {
          description: 'They wait again',
          content: {
            'application/json': {
              schema: { type: 'object', required: ['redriven'], properties: { redriven: { type: 'integer' } } }
            }
          }
        },
        ...problems
      }
    }
  },
  '/v1/functions/{name}/invocations': {
    get: {
      operationId: 'listInvocations',
      summary: 'Events of a function, the newest first',
      tags: ['invocations'],
      parameters: [
        name,
        {
          name: 'status',
          in: 'query',
          schema: { type: 'string', enum: ['queued', 'running', 'succeeded', 'failed'] }
        },
        { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100, default: 100 } },
        { name: 'cursor', in: 'query', description: CURSOR_DESCRIPTION, schema: { type: 'string' } }
      ],
      responses: {
        '200': {
          description: 'The newest first',
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['invocations', 'nextCursor'],
                properties: {
                  invocations: { type: 'array', items: invocationRecord },
                  nextCursor: { type: ['string', 'null'] }
                }
              }
            }
          }
        },
        ...problems
      }
    },
    post: {
      operationId: 'invokeFunction',
      summary: 'Run a function and wait for its answer, take it as it comes, or hand the event over',
      tags: ['invocations'],
      parameters: [
        name,
        idempotencyKey,
        {
          name: 'invokeMode',
          in: 'query',
          description:
            'RESPONSE_STREAM: what the function streams is sent as it comes. If it fails after its first byte, the response is cut off before its end.',
          schema: { type: 'string', enum: ['BUFFERED', 'RESPONSE_STREAM'], default: 'BUFFERED' }
        },
        {
          name: 'qualifier',
          in: 'query',
          description: "A version's number, `$LATEST` (which it is without), or an alias",
          schema: { type: 'string' }
        },
        {
          name: 'prefer',
          in: 'header',
          description: 'respond-async: the event is kept on disk, answered with 202, and run when its turn comes',
          schema: { type: 'string' }
        }
      ],
      requestBody: { description: 'The event; empty for none', content: JSON_ANY },
      responses: {
        '200': {
          description: 'What the function returned',
          headers: {
            'x-amzn-requestid': { description: 'The request id that the function saw', schema: { type: 'string' } },
            'x-amz-executed-version': { description: 'The version that answered', schema: { type: 'string' } },
            'server-timing': { description: 'Where the time went, in ms', schema: { type: 'string' } }
          },
          content: { ...JSON_ANY, '*/*': { schema: {} } }
        },
        '202': {
          description: 'Accepted: the event is on disk',
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['requestId', 'status'],
                properties: { requestId: { type: 'string' }, status: { type: 'string', enum: ['queued'] } }
              }
            }
          }
        },
        ...problems
      }
    }
  },
  '/v1/functions/{name}/logs': {
    get: {
      operationId: 'readLogs',
      summary: 'Lines of a function, oldest first, one JSON object a line; with follow those that come, too',
      tags: ['invocations'],
      parameters: [
        name,
        {
          name: 'since',
          in: 'query',
          description: 'A time (ISO 8601), or how long ago: 90s, 10m, 2h, 1d; inclusive',
          schema: { type: 'string' }
        },
        {
          name: 'until',
          in: 'query',
          description: 'As since; exclusive. Not with follow',
          schema: { type: 'string' }
        },
        { name: 'requestId', in: 'query', description: 'Lines of one invocation', schema: { type: 'string' } },
        {
          name: 'level',
          in: 'query',
          description: 'Lines of this level and of worse ones',
          schema: { type: 'string', enum: ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] }
        },
        { name: 'q', in: 'query', description: 'Part of the text', schema: { type: 'string', maxLength: 1_024 } },
        {
          name: 'limit',
          in: 'query',
          description: 'The newest so many lines; with follow and since: all, if nothing is said',
          schema: { type: 'integer', minimum: 1, maximum: 10_000, default: 1_000 }
        },
        {
          name: 'follow',
          in: 'query',
          description: 'Go on with lines as they come',
          schema: { type: 'boolean', default: false }
        },
        {
          name: 'last-event-id',
          in: 'header',
          description: 'Id of a server-sent event: what came after it',
          schema: { type: 'string', pattern: '^\\d+:\\d+$' }
        }
      ],
      responses: {
        '200': {
          description:
            'NDJSON: t, stream, requestId, level, msg; as data of server-sent events where those are accepted',
          content: {
            'application/x-ndjson': { schema: { type: 'string' } },
            'text/event-stream': { schema: { type: 'string' } }
          }
        },
        '4XX': problems['4XX']
      }
    }
  }
} as const
