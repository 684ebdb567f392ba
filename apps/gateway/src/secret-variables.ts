import type { FunctionSpec, ResolvedEnvironment } from '@hearth/executor'
import {
  type ArnScope,
  type Authorizer,
  type FunctionRecord,
  functionArn,
  literalValue,
  NO_REQUEST,
  parseSecretReference,
  type SecretReference,
  secretWish
} from '@hearth/shared'
import type { DirectoryReader } from '@hearth/store'

export interface SecretVariablesDeps {
  readonly reader: Pick<DirectoryReader, 'findSecret'>
  readonly access: Pick<Authorizer, 'mayFunction'>
  readonly scope: ArnScope
}

/** What of a spec says that variables stand for secrets. */
export type SecretPart = Pick<FunctionSpec, 'secrets' | 'resolveEnvironment'>

const NONE: SecretPart = {}

/**
 * Values of secrets are looked up when an instance is initialised, and handed to that instance alone. The spec has the
 * versions' ids, so that instances are replaced when another version is the one to use.
 */
export function createSecretVariables(deps: SecretVariablesDeps): (record: FunctionRecord) => SecretPart {
  return (record) => {
    const environment = Object.entries(record.environment ?? {})
    if (!environment.some(([, value]) => value.startsWith('secret:'))) return NONE
    const versions = environment.map(([, value]) => {
      const reference = read(value)
      if (reference === undefined) return ''
      const secret = deps.reader.findSecret(reference.name, reference.stage)
      return `${secret?.suffix ?? ''}/${secret?.versionId ?? ''}`
    })
    return {
      secrets: [record.role, ...versions].join('\n'),
      resolveEnvironment: () => resolve(record, environment, deps)
    }
  }
}

/** A function's own mistake, found when it is to be started. */
class Unresolved extends Error {
  readonly errorType: string

  constructor(errorType: string, message: string) {
    super(message)
    this.errorType = errorType
  }
}

function resolve(
  record: FunctionRecord,
  environment: readonly (readonly [name: string, value: string])[],
  deps: SecretVariablesDeps
): ResolvedEnvironment {
  try {
    const values = environment.map(([name, value]) => [name, valueOf(record, name, value, deps)] as const)
    return { ok: true, environment: Object.fromEntries(values) }
  } catch (err) {
    if (!(err instanceof Unresolved)) throw err
    return { ok: false, errorType: err.errorType, message: err.message }
  }
}

/** @throws Unresolved; SecretBoxError when what lies in the database cannot be opened */
function valueOf(
  record: FunctionRecord,
  variable: string,
  value: string,
  { reader, access, scope }: SecretVariablesDeps
): string {
  const reference = read(value)
  if (reference === undefined) {
    if (value.startsWith('secret:') && !value.startsWith('secret::')) {
      throw new Unresolved('Hearth.SecretInvalid', `The variable ${variable} begins with secret: and is no reference.`)
    }
    return literalValue(value)
  }
  const what = `The variable ${variable} stands for the secret ${reference.name}`
  const secret = reader.findSecret(reference.name, reference.stage)
  if (secret === undefined) throw new Unresolved('Hearth.SecretNotFound', `${what}, which is not there.`)
  const wish = secretWish(reference, secret, scope)
  if (!access.mayFunction(record.role, functionArn(scope, record.name), wish, NO_REQUEST)) {
    throw new Unresolved(
      'Hearth.SecretAccessDenied',
      `${what}, which the function's role ${record.role} is not allowed to read.`
    )
  }
  if (secret.isDeleted) throw new Unresolved('Hearth.SecretNotFound', `${what}, which was marked for deletion.`)
  if (secret.versionId === undefined) {
    throw new Unresolved('Hearth.SecretNotFound', `${what}, which has no version with the label ${reference.stage}.`)
  }
  const { kind, text } = secret.value()
  if (kind === 'binary') throw new Unresolved('Hearth.SecretInvalid', `${what}, which is bytes and no text.`)
  const found = reference.jsonKey === undefined ? text : memberOf(text, reference.jsonKey)
  if (found === undefined) {
    throw new Unresolved(
      'Hearth.SecretInvalid',
      `${what}, which is not a JSON object with the member ${reference.jsonKey ?? ''}.`
    )
  }
  if (found.includes('\0')) throw new Unresolved('Hearth.SecretInvalid', `${what}, which no variable can hold.`)
  return found
}

/** @returns undefined when it is no reference, or a broken one */
function read(value: string): SecretReference | undefined {
  try {
    return parseSecretReference(value)
  } catch {
    return undefined
  }
}

/** Text as it is; numbers, true and false as JSON writes them; anything deeper as JSON. */
export function memberOf(text: string, key: string): string | undefined {
  let object: unknown
  try {
    object = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof object !== 'object' || object === null || !Object.hasOwn(object, key)) return undefined
  const value = (object as Record<string, unknown>)[key]
  if (value === null) return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}
