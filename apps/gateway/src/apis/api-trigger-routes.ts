import { type ArnScope, apiGatewayArn, HearthError } from '@hearth/shared'
import { respond } from '../respond.ts'
import type { TriggerRoute } from '../triggers/routes.ts'
import { membersOf, wrongSample } from '../triggers/sample.ts'
import type { ApiService } from './api-service.ts'
import type { ApiEntry } from './api-table.ts'
import { decodePath } from './request-path.ts'

const JSON_TYPE = ['content-type', 'application/json']
const SAMPLE_BYTES = 65_536

/** `GET /v1/triggers/http/{name}/status` and `POST …/test`; its name there, or the API's id, stands for it. */
export function apiTriggerRoutes(
  apis: ApiService,
  scope: ArnScope,
  health: () => string | undefined
): readonly TriggerRoute[] {
  const arnOf = (name: string): string =>
    apiGatewayArn(scope, `/apis/${apis.findNamed(name)?.api.id ?? name.slice(0, 64)}`)
  const entryOf = (name: string): ApiEntry => {
    const entry = apis.findNamed(name)
    if (entry !== undefined) return entry
    throw new HearthError('RESOURCE_NOT_FOUND', `There is no trigger ${name.slice(0, 64)} of kind http.`)
  }
  return [
    {
      method: 'GET',
      url: '/v1/triggers/http/:name/status',
      action: 'hearth:GetTriggerStatus',
      route: async (_req, res, name, _send, ask) => {
        ask(arnOf(name))
        const { counts } = entryOf(name)
        const failures = counts.failures.map(({ at, ...rest }) => ({ at: new Date(at).toISOString(), ...rest }))
        const body = {
          requests: counts.requests,
          refused: counts.refused,
          failed: counts.failed,
          problem: health() ?? null,
          lastError: failures[0] ?? null,
          failures
        }
        respond(res, 200, [...JSON_TYPE], JSON.stringify(body))
      }
    },
    {
      method: 'POST',
      url: '/v1/triggers/http/:name/test',
      action: 'hearth:TestTrigger',
      bodyBytes: SAMPLE_BYTES,
      route: async (_req, _res, name, send, ask, body) => {
        ask(arnOf(name))
        send(200, [...JSON_TYPE], Buffer.from(JSON.stringify(routeOf(entryOf(name), readSample(body)))))
      }
    }
  ]
}

interface SampleRequest {
  readonly method: string
  readonly path: string
  readonly stage: string
}

/** Which route would take a request; no function runs. */
function routeOf({ stages }: ApiEntry, { method, path, stage: name }: SampleRequest): object {
  const stage = stages.get(name)
  const decoded = decodePath(path)
  const found = decoded === undefined ? undefined : stage?.routes.find(method, decoded)
  if (stage === undefined || decoded === undefined || found === undefined) return { matches: false }
  return {
    matches: true,
    routeKey: found.route.key,
    pathParameters: stage.routes.parameters(found, decoded) ?? {},
    authorization: found.route.authorization,
    function: found.integration?.functionArn ?? null
  }
}

function readSample(body: Buffer): SampleRequest {
  const { method = 'GET', path = '/', stage = '$default' } = membersOf(body)
  const isText = [method, path, stage].every((one) => typeof one === 'string')
  if (isText && String(path).startsWith('/')) return { method, path, stage } as SampleRequest
  throw wrongSample('method, path and stage must be texts, and path must begin with a slash')
}
