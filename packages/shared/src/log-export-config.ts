import { ConfigError } from './config-error.ts'
import { type OtlpTarget, readOtlpTarget } from './otlp-config.ts'

/** Where function logs are sent to, each undefined: nowhere. Values of headers are secrets. */
export interface LogExportConfig {
  readonly loki: OtlpTarget | undefined
  readonly otlp: OtlpTarget | undefined
}

const PUSH = '/loki/api/v1/push'
const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/**
 * @param lokiUrl - Of Loki itself, or where it takes logs; a user and password in it become basic authentication
 * @param lokiHeaders - `name=value`, comma separated, values percent-encoded
 * @throws ConfigError; no header's value and no password is in it
 */
export function readLogExport(
  env: NodeJS.ProcessEnv,
  lokiUrl: string | undefined,
  lokiHeaders: string | undefined
): LogExportConfig {
  return { loki: readLoki(lokiUrl || undefined, lokiHeaders), otlp: readOtlpTarget(env, 'logs') }
}

/** As it may be printed. */
export function redactLogExport({ loki, otlp }: LogExportConfig): Record<string, unknown> {
  return { loki: loki && redact(loki), otlp: otlp && redact(otlp) }
}

function readLoki(text: string | undefined, headers: string | undefined): OtlpTarget | undefined {
  if (text === undefined) {
    if (headers === undefined || headers === '') return undefined
    throw new ConfigError('HEARTH_LOKI_HEADERS: they need HEARTH_LOKI_URL')
  }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError('HEARTH_LOKI_URL: an http or https URL such as http://127.0.0.1:3100')
  }
  const { username, password } = url
  const basic = `${decode('HEARTH_LOKI_URL', username)}:${decode('HEARTH_LOKI_URL', password)}`
  url.username = ''
  url.password = ''
  if (!url.pathname.endsWith(PUSH)) url.pathname = `${url.pathname.replace(/\/$/, '')}${PUSH}`
  return {
    endpoint: url.href,
    headers: {
      ...(basic === ':' ? {} : { authorization: `Basic ${Buffer.from(basic).toString('base64')}` }),
      ...readHeaders(headers ?? '')
    }
  }
}

function readHeaders(text: string): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
    const [, name = '', raw = ''] = /^([^=]*)=(.*)$/s.exec(pair.trim()) ?? []
    const value = decode('HEARTH_LOKI_HEADERS', raw)
    if (!HEADER.test(name) || /[^\x20-\x7e]/.test(value)) {
      throw new ConfigError('HEARTH_LOKI_HEADERS: pairs such as X-Scope-OrgID=tenant, comma separated')
    }
    headers[name.toLowerCase()] = value
  }
  return headers
}

function decode(name: string, value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    throw new ConfigError(`${name}: a value is not percent-encoded as it should be`)
  }
}

function redact({ endpoint, headers }: OtlpTarget): Record<string, unknown> {
  const { origin, pathname } = new URL(endpoint)
  return {
    endpoint: `${origin}${pathname}`,
    headers: Object.fromEntries(Object.keys(headers).map((name) => [name, '[set]']))
  }
}
