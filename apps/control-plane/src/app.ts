import { randomUUID } from 'node:crypto'
import type http from 'node:http'
import type { ArnScope, Authenticator, FunctionRecord } from '@hearth/shared'
import type { ArtifactStore } from '@hearth/store'
import Fastify, { type FastifyServerOptions, LogController } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import type { CodeLinks } from './code-links.ts'
import type { FunctionService } from './functions/function-service.ts'
import type { Runtimes } from './functions/runtimes.ts'
import { authentication } from './http/authentication.ts'
import { answerClientError } from './http/client-errors.ts'
import { answerError, errorResponses } from './http/error-responses.ts'
import { rawBodies } from './http/raw-bodies.ts'
import { requestTracing } from './http/request-tracing.ts'
import './http/route-config.ts'
import { uploadLimit } from './http/upload-limit.ts'
import { lambdaApi } from './lambda-api/registry.ts'
import type { LayerAttachments } from './layers/layer-attachments.ts'
import type { LayerService } from './layers/layer-service.ts'
import type { Metrics } from './metrics.ts'
import { openapi } from './openapi.ts'
import type { PackageStore } from './packages/package-store.ts'
import type { S3Source } from './packages/s3-source.ts'
import { systemRoutes } from './system-routes.ts'
import { deployRoutes } from './v1/deploy-routes.ts'
import { functionRoutes } from './v1/function-routes.ts'
import { layerRoutes } from './v1/layer-routes.ts'

export interface Deps {
  readonly service: FunctionService
  readonly artifacts: ArtifactStore
  readonly packages: PackageStore
  readonly layers: LayerService
  readonly attachments: LayerAttachments
  readonly s3: S3Source
  readonly links: CodeLinks
  readonly authenticator: Authenticator
  readonly metrics: Metrics
  readonly scope: ArnScope
  readonly runtimes: Runtimes
  readonly architecture: FunctionRecord['architecture']
  /** Whether a deploy could be written now. */
  readonly isReady: () => boolean
}

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
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1_024 },
    clientErrorHandler: answerClientError,
    ...options,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CHECK_MS, ...options.http }
  })
  app.server.maxConnections = CONNECTIONS
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  const { service, artifacts, packages, links, metrics, scope, runtimes, architecture } = deps
  const { layers, attachments, s3 } = deps
  await app.register(requestTracing, { metrics })
  await app.register(errorResponses)
  await app.register(rawBodies)
  await app.register(authentication, { authenticator: deps.authenticator, metrics })
  await app.register(uploadLimit)
  await app.register(openapi)
  await app.register(systemRoutes, { isReady: deps.isReady, metrics })
  await app.register(deployRoutes, {
    prefix: '/v1/functions',
    service,
    packages,
    attachments,
    runtimes,
    scope,
    metrics
  })
  await app.register(functionRoutes, {
    prefix: '/v1/functions',
    service,
    artifacts,
    attachments,
    runtimes,
    links,
    scope
  })
  await app.register(layerRoutes, { prefix: '/v1/layers', layers, packages, artifacts, runtimes, links, scope })
  await app.register(lambdaApi, {
    service,
    packages,
    artifacts,
    layers,
    attachments,
    s3,
    runtimes,
    links,
    scope,
    architecture,
    metrics
  })
  return app
}
