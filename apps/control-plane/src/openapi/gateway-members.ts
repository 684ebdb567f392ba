/** What the paths of the gateway have in common. */
export const JSON_ANY = { 'application/json': { schema: {} } }

export const name = {
  name: 'name',
  in: 'path',
  required: true,
  description: 'Name of the function',
  schema: { type: 'string', pattern: '^[a-zA-Z0-9-_]{1,64}$' }
} as const

export const idempotencyKey = {
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

export const problems = {
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
