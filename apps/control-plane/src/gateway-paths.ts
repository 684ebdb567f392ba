/**
 * The paths that the gateway serves itself, for the one description of both at /openapi.json. They are not routes of
 * this process: a call that reached it would be answered 404.
 */
const JSON_ANY = { 'application/json': { schema: {} } }

const name = {
  name: 'name',
  in: 'path',
  required: true,
  description: 'Name of the function',
  schema: { type: 'string', pattern: '^[a-zA-Z0-9-_]{1,64}$' }
} as const

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'The same request under the same key is done once in 24 hours: see docs/idempotency.md',
  schema: { type: 'string', minLength: 1, maxLength: 255 }
} as const

const problem = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', description: 'Stable: branch on this.' },
    requestId: { type: 'string' }
  }
} as const

const problems = {
  '4XX': {
    description: 'Refused before the function ran: `code` says why. 429 when no instance was to be had in time.',
    content: { 'application/problem+json': { schema: problem } }
  },
  '5XX': {
    description:
      'With the header x-hearth-function-error the function failed (502) or ran out of time (504), and the body is its own error object; without it the server did.',
    content: { 'application/json': { schema: {} }, 'application/problem+json': { schema: problem } }
  }
} as const

const runtimeList = {
  type: 'object',
  required: ['items', 'prestarted'],
  properties: {
    items: {
      type: 'array',
      items: {
        type: 'object',
        required: ['id', 'language', 'interpreter', 'exact', 'remedy', 'prestarted'],
        properties: {
          id: { type: 'string', examples: ['nodejs20.x'] },
          language: { type: 'string', examples: ['node'] },
          interpreter: {
            type: ['string', 'null'],
            examples: ['Node.js 20.20.2'],
            description: 'What runs it; null when nothing on this server does'
          },
          exact: { type: 'boolean', description: 'Whether the interpreter has the version that the name says' },
          remedy: { type: ['string', 'null'], description: 'What to install, when nothing runs it' },
          prestarted: {
            type: 'array',
            description: 'Sandboxes booted ahead of need, which runtimes on the same interpreter share',
            items: {
              type: 'object',
              required: ['memoryMiB', 'ephemeralMiB', 'network', 'ready', 'target'],
              properties: {
                memoryMiB: { type: 'integer' },
                ephemeralMiB: { type: 'integer' },
                network: { type: 'string', enum: ['none', 'internet'] },
                ready: { type: 'integer', description: 'How many there are' },
                target: { type: 'integer', description: 'How many are to be kept: HEARTH_PRESTARTED, or recent demand' }
              }
            }
          }
        }
      }
    },
    prestarted: {
      type: 'object',
      required: ['usedMiB', 'limitMiB'],
      properties: { usedMiB: { type: 'integer' }, limitMiB: { type: 'integer' } }
    }
  }
} as const

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

const KINDS = {
  event: { Kind: 'Event', test: 'Send a sample event to the trigger alone' },
  schedule: { Kind: 'Schedule', test: 'Fire the trigger now' },
  'load-balancer': { Kind: 'LoadBalancer', test: 'Check the health of each function now' },
  webhook: { Kind: 'Webhook', test: 'Fire the trigger as a request with the detail as its body would' }
} as const

function triggerPaths(kind: keyof typeof KINDS) {
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

export const gatewayPaths = {
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
        { name: 'cursor', in: 'query', description: '`nextCursor` of the page before', schema: { type: 'string' } }
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
  },
  ...triggerPaths('event'),
  ...triggerPaths('schedule'),
  ...triggerPaths('webhook'),
  ...triggerPaths('load-balancer'),
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
      parameters: [
        {
          name: 'id',
          in: 'path',
          required: true,
          description: 'As in the URL',
          schema: { type: 'string', pattern: '^[a-z0-9]{32}$' }
        }
      ],
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
  ...httpTriggerPaths,
  ...webSocketTriggerPaths,
  '/v1/runtimes': {
    get: {
      operationId: 'listRuntimes',
      summary: 'List runtimes',
      description:
        'Every runtime that Hearth knows, what serves it on this machine, and the sandboxes that are ready for it.',
      tags: ['runtimes'],
      responses: {
        '200': { description: 'All of them', content: { 'application/json': { schema: runtimeList } } },
        '4XX': problems['4XX']
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
      parameters: [
        {
          name: 'id',
          in: 'path',
          required: true,
          description: 'As in the URL',
          schema: { type: 'string', pattern: '^[a-z0-9]{32}$' }
        }
      ],
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
