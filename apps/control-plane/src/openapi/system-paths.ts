import { problems } from './gateway-members.ts'

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

/** What the gateway says about the server. */
export const systemPaths = {
  '/v1/diagnostics': {
    get: {
      operationId: 'getDiagnostics',
      summary: 'A bundle for bug reports',
      description:
        'Versions, settings without secrets, health, metrics, counts, schemas and sizes as a .tar.gz; no code, events, logs or keys.',
      tags: ['system'],
      responses: {
        '200': { description: 'The bundle', content: { 'application/gzip': { schema: {} } } },
        '4XX': problems['4XX']
      }
    }
  },
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
  }
} as const
