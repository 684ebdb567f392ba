import {
  type ArnScope,
  type Authorizer,
  functionArn,
  HearthError,
  NO_REQUEST,
  parseSecretReference,
  type SecretReference,
  secretWish
} from '@hearth/shared'
import type { SecretInUse } from '@hearth/store'

/** Says no to variables that stand for secrets which the function could not read when it starts. */
export interface SecretReferences {
  /** @throws HearthError INVALID_SECRET_REFERENCE */
  check(functionName: string, environment: Readonly<Record<string, string>> | undefined, roleArn: string): void
}

export interface SecretReferencesDeps {
  readonly find: (name: string, stage: string) => SecretInUse | undefined
  readonly authorizer: Pick<Authorizer, 'mayFunction'>
  readonly scope: ArnScope
}

export function createSecretReferences({ find, authorizer, scope }: SecretReferencesDeps): SecretReferences {
  const isReadable = (functionName: string, reference: SecretReference, roleArn: string): boolean => {
    const secret = find(reference.name, reference.stage)
    if (secret === undefined) return false
    const wish = secretWish(reference, secret, scope)
    if (!authorizer.mayFunction(roleArn, functionArn(scope, functionName), wish, NO_REQUEST)) return false
    if (secret.isDeleted) throw refused(`the secret ${reference.name} was marked for deletion`)
    if (secret.versionId === undefined) {
      throw refused(`no version of the secret ${reference.name} has the label ${reference.stage}`)
    }
    return true
  }
  return {
    check(functionName, environment = {}, roleArn) {
      for (const [variable, value] of Object.entries(environment)) {
        const reference = inVariable(variable, () => parseSecretReference(value))
        if (reference === undefined) continue
        const isThere = inVariable(variable, () => isReadable(functionName, reference, roleArn))
        // One sentence for both: who deploys is not to learn which secrets there are.
        if (isThere) continue
        throw new HearthError(
          'INVALID_SECRET_REFERENCE',
          `The variable ${variable} stands for the secret ${reference.name}, which is not there, or which the function's role ${roleArn} is not allowed to read (secretsmanager:GetSecretValue).`,
          { errors: [{ path: `environment.${variable}`, message: 'no secret that the role may read' }] }
        )
      }
    }
  }
}

function refused(message: string): HearthError {
  return new HearthError('INVALID_SECRET_REFERENCE', message)
}

function inVariable<T>(variable: string, work: () => T): T {
  try {
    return work()
  } catch (err) {
    if (!(err instanceof HearthError) || err.code !== 'INVALID_SECRET_REFERENCE') throw err
    throw new HearthError('INVALID_SECRET_REFERENCE', `The variable ${variable}: ${err.message}.`, {
      errors: [{ path: `environment.${variable}`, message: err.message }]
    })
  }
}
