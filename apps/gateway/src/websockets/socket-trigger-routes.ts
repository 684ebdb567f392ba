import { type ArnScope, apiGatewayArn, HearthError } from '@hearth/shared'
import { respond } from '../respond.ts'
import type { TriggerRoute } from '../triggers/routes.ts'
import { membersOf, wrongSample } from '../triggers/sample.ts'
import type { NamedSocketApi, WebSocketService } from './websocket-service.ts'

const JSON_TYPE = ['content-type', 'application/json']
/** What a client's message may have, escaped as JSON. */
const SAMPLE_BYTES = 262_144

/** `GET /v1/triggers/websocket/{name}/status` and `POST …/test`; its name there, or the API's id, stands for it. */
export function socketTriggerRoutes(
  sockets: WebSocketService,
  scope: ArnScope,
  health: () => string | undefined
): readonly TriggerRoute[] {
  const find = (name: string, ask: (resource: string) => void): NamedSocketApi => {
    const found = sockets.findNamed(name)
    ask(apiGatewayArn(scope, `/apis/${found?.apiId ?? name.slice(0, 64)}`))
    if (found !== undefined) return found
    throw new HearthError('RESOURCE_NOT_FOUND', `There is no trigger ${name.slice(0, 64)} of kind websocket.`)
  }
  return [
    {
      method: 'GET',
      url: '/v1/triggers/websocket/:name/status',
      action: 'hearth:GetTriggerStatus',
      route: async (_req, res, name, _send, ask) => {
        const { connections, stages } = find(name, ask)
        respond(res, 200, [...JSON_TYPE], JSON.stringify({ connections, stages, problem: health() ?? null }))
      }
    },
    {
      method: 'POST',
      url: '/v1/triggers/websocket/:name/test',
      action: 'hearth:TestTrigger',
      bodyBytes: SAMPLE_BYTES,
      route: async (_req, _res, name, send, ask, body) => {
        const api = find(name, ask)
        const { message, stage = api.stages[0] ?? '' } = readSample(body)
        const found = api.routeOf(stage, message)
        const answer =
          found === undefined
            ? { matches: false }
            : { matches: true, routeKey: found.route.key, function: found.integration?.functionArn ?? null }
        send(200, [...JSON_TYPE], Buffer.from(JSON.stringify(answer)))
      }
    }
  ]
}

function readSample(body: Buffer): { readonly message: string; readonly stage: string | undefined } {
  const { message = '', stage } = membersOf(body)
  if (stage === undefined || typeof stage === 'string') {
    return { message: typeof message === 'string' ? message : JSON.stringify(message), stage }
  }
  throw wrongSample('stage must be a text', 'body.stage')
}
