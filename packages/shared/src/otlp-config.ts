import { ConfigError } from './config-error.ts'

/** A receiver of OpenTelemetry's protocol, as OTEL_EXPORTER_OTLP_… name it. */
export interface OtlpTarget {
  /** Of one signal: `http://127.0.0.1:4318/v1/traces`. */
  readonly endpoint: string
  /** By lower-case name; their values are secrets. */
  readonly headers: Readonly<Record<string, string>>
}

/** Where spans go, and which. */
export interface TraceConfig extends OtlpTarget {
  /** Part of the calls whose sender did not decide, 0 to 1. */
  readonly sample: number
  /** Calls that take as long are always kept. */
  readonly slowMs: number
  readonly serviceName: string
  /** Attributes of all spans. */
  readonly resource: Readonly<Record<string, string>>
}

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const SERVICE = 'hearth'

/**
 * The settings that OpenTelemetry gives names to.
 *
 * @returns undefined where there is no receiver, or OTEL_TRACES_EXPORTER=none
 * @throws ConfigError; no header's value is in it
 * @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function readTracing(env: NodeJS.ProcessEnv, sample: number, slowMs: number): TraceConfig | undefined {
  const target = readOtlpTarget(env, 'traces')
  if (target === undefined) return undefined
  const { 'service.name': named, ...resource } = readList('OTEL_RESOURCE_ATTRIBUTES', env['OTEL_RESOURCE_ATTRIBUTES'])
  return { ...target, sample, slowMs, serviceName: env['OTEL_SERVICE_NAME'] || named || SERVICE, resource }
}

/** The receiver of one signal. @returns undefined: there is none @throws ConfigError */
export function readOtlpTarget(env: NodeJS.ProcessEnv, signal: 'traces' | 'logs'): OtlpTarget | undefined {
  const upper = signal.toUpperCase()
  const own = `OTEL_EXPORTER_OTLP_${upper}_ENDPOINT`
  const endpoint = env[own] ? readUrl(own, env[own]) : readBase(env['OTEL_EXPORTER_OTLP_ENDPOINT'], signal)
  if (endpoint === undefined) return undefined
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env[`OTEL_${upper}_EXPORTER`] === 'none') return undefined
  const headersOf = `OTEL_EXPORTER_OTLP_${upper}_HEADERS`
  const name = env[headersOf] ? headersOf : 'OTEL_EXPORTER_OTLP_HEADERS'
  const headers: Record<string, string> = {}
  for (const [header, value] of Object.entries(readList(name, env[name]))) {
    if (!NAME.test(header) || /[^\x20-\x7e]/.test(value)) throw new ConfigError(`${name}: ${header} is no header`)
    headers[header.toLowerCase()] = value
  }
  return { endpoint, headers }
}

/** As it may be printed. */
export function redactTracing({ endpoint, headers, ...rest }: TraceConfig): Record<string, unknown> {
  const { origin, pathname } = new URL(endpoint)
  const names = Object.keys(headers).map((name) => [name, '[set]'] as const)
  return { ...rest, endpoint: `${origin}${pathname}`, headers: Object.fromEntries(names) }
}

function readBase(base: string | undefined, signal: string): string | undefined {
  if (base === undefined || base === '') return undefined
  const url = new URL(readUrl('OTEL_EXPORTER_OTLP_ENDPOINT', base))
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/${signal}`
  return url.href
}

function readUrl(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isUsable = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
  if (!isUsable) {
    throw new ConfigError(`${name}: an http or https URL without user and password, such as http://127.0.0.1:4318`)
  }
  return url.href
}

/** `a=1,b=2`, values percent-encoded. */
function readList(name: string, text: string | undefined): Record<string, string> {
  const list: Record<string, string> = {}
  for (const pair of (text ?? '').split(',')) {
    if (pair.trim() === '') continue
    const equals = pair.indexOf('=')
    const key = pair.slice(0, Math.max(equals, 0)).trim()
    if (key === '') throw new ConfigError(`${name}: pairs such as name=value, comma separated`)
    list[key] = decode(name, pair.slice(equals + 1).trim())
  }
  return list
}

function decode(name: string, value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    throw new ConfigError(`${name}: a value is not percent-encoded as it should be`)
  }
}
