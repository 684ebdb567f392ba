import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Executor } from '@hearth/executor'
import { type ArnScope, HearthError } from '@hearth/shared'
import type { Hallway } from './call.ts'
import type { Readiness } from './health.ts'
import { findFunction } from './invoke.ts'
import { readLog } from './log-reader.ts'
import { parseLogQuery } from './log-route.ts'
import type { LogWriter } from './log-writer.ts'
import { METRICS_SCOPES, type Metrics } from './metrics.ts'
import { respond } from './respond.ts'

const MIB = 1_048_576

/** A route about the server itself. The sender is known already; a HearthError that is thrown is answered. */
export type ServerRoute = (
  req: IncomingMessage,
  res: ServerResponse,
  name: string,
  send: Send,
  ask: Ask,
  body: Buffer
) => Promise<void>

/** Of routes that learn on the way what they are about. @throws HearthError ACCESS_DENIED */
export type Ask = (resource: string) => void

/** Sends a whole answer; to be used by routes that change something, so that it can be given again. */
export type Send = (status: number, headers: string[], body: Buffer) => void

/** The process is alive: nothing else is said by it. */
export function healthRoute(): ServerRoute {
  return async (_req, res) => {
    respond(res, 200, ['content-type', 'application/json'], '{"status":"alive"}')
  }
}

export function readyRoute(readiness: Readiness): ServerRoute {
  return async (_req, res) => {
    const health = readiness.report()
    respond(res, health.status === 'ready' ? 200 : 503, ['content-type', 'application/json'], JSON.stringify(health))
  }
}

/** Prometheus' text format, written as it is rendered: a server with many functions must not stop for a scrape. */
export function metricsRoute(metrics: Metrics): ServerRoute {
  return async (req, res) => {
    const asked = new URLSearchParams(req.url?.split('?')[1]).get('scope') ?? undefined
    const scope = METRICS_SCOPES.find((one) => one === asked)
    if (scope !== asked) throw new HearthError('INVALID_REQUEST', 'query.scope: must be platform or functions')
    res.writeHead(200, ['content-type', 'text/plain; version=0.0.4; charset=utf-8'])
    for await (const piece of metrics.render(scope)) {
      if (res.destroyed) return
      if (!res.write(piece)) await Promise.race([once(res, 'drain'), once(res, 'close')])
      await nextTurn()
    }
    res.end()
  }
}

/** `GET /v1/runtimes`: what this machine can run, and the sandboxes that are ready for it. */
export function runtimesRoute(executor: Executor): ServerRoute {
  return async (_req, res) => {
    const { kinds, usedBytes, budgetBytes } = executor.stats().stock
    const items = executor.runtimes().map(({ runtime, name, language, interpreter = null, exact, remedy = null }) => ({
      id: runtime,
      language,
      interpreter,
      exact,
      remedy,
      prestarted: kinds
        .filter((kind) => name !== undefined && kind.runtime.split('+')[0] === name)
        .map(({ memoryMiB, tmpMiB, network, ready, target }) => ({
          memoryMiB,
          ephemeralMiB: tmpMiB,
          network,
          ready,
          target
        }))
    }))
    const body = {
      items,
      prestarted: { usedMiB: Math.round(usedBytes / MIB), limitMiB: Math.round(budgetBytes / MIB) }
    }
    respond(res, 200, ['content-type', 'application/json'], JSON.stringify(body))
  }
}

/** `GET /v1/functions/{name}/logs`: the function's lines as NDJSON, newest last. */
export function logsRoute(hallway: Hallway, scope: ArnScope, logs: LogWriter, logsDir: string): ServerRoute {
  return async (req, res, name) => {
    const { entry } = findFunction(hallway.directory, scope, name, undefined)
    const url = req.url ?? ''
    const mark = url.indexOf('?')
    const query = parseLogQuery(new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)), Date.now())
    // What was logged before the question belongs to the answer.
    await logs.flush(entry.record.name)
    const lines = await readLog(logsDir, entry.record.name, query)
    respond(res, 200, ['content-type', 'application/x-ndjson'], lines)
  }
}
