import { API, openApis, publish } from '@hearth/test/helpers/http-api'
import { bareFastify, hearth, type Target } from './targets.ts'
import { measureWarm, type WarmResult } from './warm.ts'

export interface HttpResult extends WarmResult {
  /** Throughput against a direct invoke, in the same run. */
  readonly timesDirect: number
}

const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:http-echo'
/** Answers with what was sent, as the other targets do. */
const HTTP_ECHO = 'export const handler = async ({ body }) => ({ ok: true, e: JSON.parse(body) })\n'
const ROUTES = 100

/** One server: an echo that is invoked directly, and one by its URL and as routes of an HTTP API. */
export async function measureHttp(rounds: number, seconds: number, tmpDir: string): Promise<HttpResult[]> {
  const bare = await bareFastify()
  const direct = await hearth('direct invoke', 'memory=1769')
  const server = direct.hearth
  const written = openApis(server.dataDir)
  try {
    const statement = {
      StatementId: 'api',
      Action: 'lambda:InvokeFunction',
      Principal: 'apigateway.amazonaws.com',
      SourceArn: `arn:aws:execute-api:us-east-1:000000000000:${API}/*`
    }
    const policy = { method: 'POST', body: JSON.stringify(statement) }
    const deployed = await server.deploy('http-echo.mjs', HTTP_ECHO, 'memory=1769')
    if (!deployed.ok) throw new Error(await deployed.text())
    const added = await server.request('/2015-03-31/functions/http-echo/policy', policy)
    if (!added.ok) throw new Error(await added.text())
    const integration = { functionArn: FUNCTION }
    const others = Array.from({ length: ROUTES }, (_, i) => [`GET /other${i}/{id}`, { integration }] as const)
    publish(written, {
      ...Object.fromEntries(others),
      'POST /pets/{id}': { integration },
      'POST /{proxy+}': { integration }
    })
    // In wrk's own spelling, or it would send another beside it.
    const headers = { 'content-type': 'application/json', Host: `${API}.lambda-url.localhost` }
    const at = (name: string, path: string): Target => ({ ...direct, name, headers, url: `${server.url}${path}` })
    const targets: Target[] = [
      bare,
      direct,
      { ...direct, name: 'function URL event (/fn)', url: `${server.url}/fn/http-echo/pets/1` },
      at(`HTTP API, ${ROUTES + 2} routes, parameter`, '/pets/1'),
      at(`HTTP API, ${ROUTES + 2} routes, greedy`, '/some/other/path')
    ]
    const results = await measureWarm(targets, { rounds, seconds, connections: 32, tmpDir })
    const base = results[1]!.requestsPerSecond
    return results.map((row) => ({ ...row, timesDirect: row.requestsPerSecond / base }))
  } finally {
    written.close()
    await direct.stop()
    await bare.stop()
  }
}
