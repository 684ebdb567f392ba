import type { Readiness } from '@hearth/shared'
import type { SchemaState } from '@hearth/store'
import type { FastifyPluginAsync } from 'fastify'
import { gatewayOnly } from '../http/gateway-only.ts'
import type { Metrics } from '../metrics.ts'

export interface DiagnosticsPartOptions {
  readonly internalToken: string
  readonly health: () => Readiness
  readonly metrics: Pick<Metrics, 'registry'>
  /** By the names of databases; why not, where one cannot be read. */
  readonly schema: () => Readonly<Record<string, SchemaState | string>>
  readonly counts: () => Readonly<Record<string, number>>
  /** The last lines of this program's own log, as they are: the gateway hides what is secret. */
  readonly log: () => readonly string[]
}

/** What the gateway asks for when it makes the bundle for bug reports. Not part of the API. */
export const diagnosticsPart: FastifyPluginAsync<DiagnosticsPartOptions> = async (app, options) => {
  app.get(
    '/internal/diagnostics',
    { config: { access: 'gateway' }, onRequest: gatewayOnly(options.internalToken), schema: { hide: true } },
    async () => ({
      health: options.health().report(),
      counts: options.counts(),
      schema: options.schema(),
      log: options.log(),
      metrics: await options.metrics.registry.metrics()
    })
  )
}
