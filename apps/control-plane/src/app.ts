import { randomUUID } from 'node:crypto'
import type http from 'node:http'
import { createAuthBackoff, createRequestRate } from '@hearth/shared'
import Fastify, { type FastifyServerOptions, LogController } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { authorization } from './access/authorization.ts'
import { authentication } from './http/authentication.ts'
import { browserHeaders } from './http/browser-headers.ts'
import { createClientAddresses } from './http/client-address.ts'
import { answerClientError } from './http/client-errors.ts'
import { answerError, errorResponses } from './http/error-responses.ts'
import { idempotency } from './http/idempotency.ts'
import { keyUseNotes } from './http/key-use-notes.ts'
import { rawBodies } from './http/raw-bodies.ts'
import { requestTracing } from './http/request-tracing.ts'
import { uploadLimit } from './http/upload-limit.ts'
import { targetConstraint } from './json-protocol/target-constraint.ts'
import { openapi } from './openapi/openapi.ts'
import { systemRoutes } from './system-routes.ts'
import './http/route-config.ts'
import { mountAccess } from './app/mount-access.ts'
import { JSON_TARGETS, mountAwsApis } from './app/mount-aws-apis.ts'
import { mountFunctions } from './app/mount-functions.ts'
import { mountMetrics } from './app/mount-metrics.ts'
import { mountObservability } from './app/mount-observability.ts'
import { mountTriggers } from './app/mount-triggers.ts'
import type { Deps } from './deps.ts'

export type ServerOptions = FastifyServerOptions & { readonly http?: http.ServerOptions }

/** JSON of settings fits in this many times over. */
const BODY_BYTES = 262_144
/** A whole request with 50 MiB over a slow line: 1.5 Mbit/s. */
const REQUEST_TIMEOUT_MS = 300_000
const HEADERS_TIMEOUT_MS = 20_000
/** How often the two are looked at. */
const CHECK_MS = 5_000
/** Longer than the gateway keeps its connections, so that it never writes into one that is being closed. */
const KEEP_ALIVE_MS = 72_000
const CONNECTIONS = 1_000

/** Builds the app and opens nothing: no port, no file, no signal handler. main.ts and tests both call this. */
export async function buildApp(deps: Deps, options: ServerOptions = {}) {
  const app = Fastify({
    // One line per request is written by request-tracing, without the query.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    frameworkErrors: (thrown, request, reply) => void answerError(thrown, request, reply),
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    // AWS clients send some paths with a slash at the end; a function's ARN is longer than a parameter usually is.
    routerOptions: {
      ignoreTrailingSlash: true,
      maxParamLength: 1_024,
      constraints: targetConstraint(JSON_TARGETS)
    },
    clientErrorHandler: answerClientError,
    ...options,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CHECK_MS, ...options.http }
  })
  app.server.maxConnections = CONNECTIONS
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  const { metrics, scope } = deps
  const addresses = createClientAddresses(deps.internalToken)
  const now = (): number => deps.access.now().getTime()
  await app.register(requestTracing, { metrics })
  await app.register(errorResponses)
  await app.register(browserHeaders)
  await app.register(rawBodies)
  await app.register(authentication, {
    authenticator: deps.authenticator,
    refresh: deps.refreshAccess,
    now,
    backoff: createAuthBackoff(deps.authFailures, now),
    rate: createRequestRate(deps.requestRate, now),
    addressOf: (request) => addresses.peer(request),
    metrics
  })
  await app.register(authorization, {
    authorizer: deps.authorizer,
    access: deps.access,
    scope,
    addresses,
    metrics
  })
  await app.register(keyUseNotes, { uses: deps.keyUses, region: scope.region, now: deps.access.now })
  await app.register(uploadLimit)
  await app.register(idempotency, { keys: deps.keys, blindedBy: deps.internalToken, now: deps.now })
  await app.register(openapi)
  await app.register(systemRoutes, { health: deps.health, metrics })
  await mountFunctions(app, deps)
  await mountTriggers(app, deps)
  await mountObservability(app, deps)
  await mountAccess(app, deps)
  await mountMetrics(app, deps)
  await mountAwsApis(app, deps)
  return app
}
