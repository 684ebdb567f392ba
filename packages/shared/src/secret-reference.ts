import { HearthError } from './errors.ts'

/** Source: Secrets Manager, CreateSecret, `Name`. */
export const SECRET_NAME = /^[A-Za-z0-9/_+=.@!-]{1,512}$/

/** What a function's variable stands for. */
export interface SecretReference {
  readonly name: string
  /** The staging label of the version. */
  readonly stage: string
  /** Member of the JSON object that the secret is; undefined: all of it. */
  readonly jsonKey: string | undefined
}

const PREFIX = 'secret:'
const LITERAL = 'secret::'

/**
 * Reads `secret:name`, `secret:name@stage`, `secret:name#key`, `secret:name@stage#key`. The last `@` is that of the
 * stage, so a name that has one is written with its stage.
 *
 * @returns undefined when the value stands for itself
 * @throws HearthError INVALID_SECRET_REFERENCE; the value is not repeated, it may be a secret by mistake
 */
export function parseSecretReference(value: string): SecretReference | undefined {
  if (!value.startsWith(PREFIX) || value.startsWith(LITERAL)) return undefined
  const text = value.slice(PREFIX.length)
  const hash = text.indexOf('#')
  const path = hash < 0 ? text : text.slice(0, hash)
  const jsonKey = hash < 0 ? undefined : text.slice(hash + 1)
  const at = path.lastIndexOf('@')
  const name = at < 0 ? path : path.slice(0, at)
  const stage = at < 0 ? 'AWSCURRENT' : path.slice(at + 1)
  if (!SECRET_NAME.test(name) || stage === '' || stage.length > 256 || jsonKey === '') {
    throw new HearthError(
      'INVALID_SECRET_REFERENCE',
      'A value that begins with secret: stands for a secret, as secret:name[@stage][#key]; text that begins so is written secret::'
    )
  }
  return { name, stage, jsonKey }
}

/** What a variable that stands for itself says: `secret::x` is the text `secret:x`. */
export function literalValue(value: string): string {
  return value.startsWith(LITERAL) ? PREFIX + value.slice(LITERAL.length) : value
}

/** How an ARN of a secret is made. */
export function secretArn(
  scope: { readonly region: string; readonly accountId: string },
  name: string,
  suffix: string
) {
  return `arn:aws:secretsmanager:${scope.region}:${scope.accountId}:secret:${name}-${suffix}`
}
