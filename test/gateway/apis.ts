import type { Test } from 'tap'
import { HOST, letsApisIn, publish, type RouteChanges } from '../helpers/http-api.ts'
import { ask, type HarnessOptions, record, startGateway } from './harness.ts'

/** A gateway with an API of these routes before the function `hello`, which answers with its event. */
export async function startApi(
  t: Test,
  routes: Readonly<Record<string, RouteChanges>>,
  options: Parameters<typeof publish>[2] = {},
  gateway: HarnessOptions = {}
) {
  const harness = await startGateway(t, { functions: [record('hello'), record('other')], ...gateway })
  harness.policies.put('hello', '', letsApisIn())
  publish(harness, routes, options)
  const call = (path = '/', request: Parameters<typeof ask>[2] = {}, host = HOST) =>
    ask(harness.port, path, { auth: false, ...request, headers: { host, ...request.headers } })
  /** The event that the function got. */
  const eventOf = async (...args: Parameters<typeof call>) => {
    const answer = await call(...args)
    if (answer.status !== 200) throw new Error(`${args[0]}: ${answer.status} ${answer.body}`)
    return JSON.parse(answer.body) as ApiEvent
  }
  return { ...harness, call, eventOf }
}

interface ApiEvent {
  readonly routeKey: string
  readonly rawPath: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly pathParameters?: Record<string, string> | null
  readonly requestContext: Record<string, unknown>
  readonly [member: string]: unknown
}
