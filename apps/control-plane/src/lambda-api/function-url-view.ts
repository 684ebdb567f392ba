import { type CorsConfig, type FunctionUrl, functionArn } from '@hearth/shared'
import { addressOf } from '../urls/url-address.ts'
import type { Cors } from './function-url-target.ts'
import type { LambdaApiDeps, OperationCall } from './operation.ts'

/** FunctionUrlConfig as Get, Update and List answer it. */
export function toUrlConfig(url: FunctionUrl, call: OperationCall, deps: LambdaApiDeps) {
  return { ...toNewUrlConfig(url, call, deps), LastModifiedTime: url.lastModified, InvokeMode: url.invokeMode }
}

/** As Create answers it, without the mode, which is told there only if it was sent. */
export function toNewUrlConfig(url: FunctionUrl, call: OperationCall, { scope, urlDomain }: LambdaApiDeps) {
  return {
    FunctionUrl: addressOf(url.id, urlDomain, call.origin),
    FunctionArn: functionArn(scope, url.functionName, url.qualifier),
    AuthType: url.authType,
    ...(url.cors === undefined ? {} : { Cors: fromCorsConfig(url.cors) }),
    CreationTime: url.createdAt
  }
}

/** @returns undefined when nothing in it is set */
export function toCorsConfig(cors: Cors | null | undefined): CorsConfig | undefined {
  const { AllowCredentials, AllowHeaders, AllowMethods, AllowOrigins, ExposeHeaders, MaxAge } = cors ?? {}
  const config: CorsConfig = {
    ...(AllowCredentials == null ? {} : { allowCredentials: AllowCredentials }),
    ...(AllowHeaders == null ? {} : { allowHeaders: AllowHeaders }),
    ...(AllowMethods == null ? {} : { allowMethods: AllowMethods }),
    ...(AllowOrigins == null ? {} : { allowOrigins: AllowOrigins }),
    ...(ExposeHeaders == null ? {} : { exposeHeaders: ExposeHeaders }),
    ...(MaxAge == null ? {} : { maxAge: MaxAge })
  }
  return Object.keys(config).length === 0 ? undefined : config
}

function fromCorsConfig(cors: CorsConfig): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(cors).map(([name, value]) => [name[0]!.toUpperCase() + name.slice(1), value])
  )
}
