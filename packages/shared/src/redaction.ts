/** Names of settings that are not shown whatever they hold: what is added later is not forgotten here. */
const SECRET_NAME = /secret|token|password|credential|headers|authorization|masterkey|accesskey|command/i
const HIDDEN = '[hidden]'
/** A shorter one may stand in a text for something else. */
const MIN_SECRET_CHARS = 8

/** A copy without what has a secret's name; URLs lose user, password and query. */
export function withoutSecrets(value: unknown, name = ''): unknown {
  if (value === undefined || value === null || typeof value === 'boolean' || typeof value === 'number') return value
  if (SECRET_NAME.test(name)) return HIDDEN
  if (Array.isArray(value)) return value.map((one) => withoutSecrets(one, name))
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutSecrets(member, key)]))
  }
  return typeof value === 'string' ? withoutCredentials(value) : HIDDEN
}

/** @param secrets - Whatever of these is in the text is hidden, as it is and in base64 and percent-encoding */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  let hidden = text
  for (const secret of secrets) {
    if (secret.length < MIN_SECRET_CHARS) continue
    const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]
    for (const form of new Set([...forms, JSON.stringify(secret).slice(1, -1)]))
      hidden = hidden.replaceAll(form, HIDDEN)
  }
  return hidden
}

/**
 * Lines of a log without what has a secret's name, and without user, password and query of URLs, also within texts.
 *
 * @param secrets - As of {@link hideSecrets}
 */
export function hideSecretsInLog(lines: readonly string[], secrets: readonly string[]): string {
  return lines.map((line) => hideSecrets(withoutUrlSecrets(readable(line)), secrets)).join('\n')
}

function readable(line: string): string {
  try {
    return JSON.stringify(withoutSecrets(JSON.parse(line)))
  } catch {
    // Not a line of the logger, or one that was cut.
    return line
  }
}

/** Bounded, and each stops at what it begins with: lines have in them what callers send. */
const USER_OF_URL = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@"'\\]{1,1000}@/gi
const QUERY = /\?[^\s"'\\<>?=]*=[^\s"'\\<>]*/g

function withoutUrlSecrets(text: string): string {
  return text.replace(USER_OF_URL, '$1').replace(QUERY, `?${HIDDEN}`)
}

function withoutCredentials(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || !URL.canParse(text)) return text
  const url = new URL(text)
  if (url.username === '' && url.password === '' && url.search === '') return text
  url.username = ''
  url.password = ''
  url.search = ''
  return url.href
}
