/** Who may call a function's URL: everybody, or callers with a key of this server. */
export type FunctionUrlAuthType = 'NONE' | 'AWS_IAM'

/** What browsers are told about requests from other origins. Members that were not sent are absent. */
export interface CorsConfig {
  readonly allowCredentials?: boolean
  readonly allowHeaders?: readonly string[]
  readonly allowMethods?: readonly string[]
  readonly allowOrigins?: readonly string[]
  readonly exposeHeaders?: readonly string[]
  /** Seconds. */
  readonly maxAge?: number
}

/** The URL of a function, or of one of its aliases. */
export interface FunctionUrl {
  /** 32 lower-case letters and digits: the first label of its host. */
  readonly id: string
  readonly functionName: string
  /** Name of an alias; undefined: the function itself. */
  readonly qualifier: string | undefined
  readonly authType: FunctionUrlAuthType
  readonly cors: CorsConfig | undefined
  readonly invokeMode: 'BUFFERED' | 'RESPONSE_STREAM'
  /** ISO 8601, UTC. */
  readonly createdAt: string
  /** ISO 8601, UTC. */
  readonly lastModified: string
}

/** Another host name under which a function's URL answers. */
export interface Domain {
  /** Lower case, as in DNS, without port and final dot. */
  readonly host: string
  readonly functionName: string
  readonly qualifier: string | undefined
  /** ISO 8601, UTC. */
  readonly createdAt: string
}

export const FUNCTION_URL_ID = /^[a-z0-9]{32}$/

/** @param header - A Host header. @returns as it stands in DNS: lower case, without port and final dot */
export function hostName(header: string): string {
  return header.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase()
}
