import { type ArnScope, HearthError } from '@hearth/shared'
import type { CodeSigningConfig, CodeSigningRepository, FunctionOptionsRepository } from '@hearth/store'
import { randomId } from '../random-id.ts'
import { checkTags } from './function-settings.ts'

/** What its owner says of a code signing config. */
export type CodeSigningWish = Pick<CodeSigningConfig, 'description' | 'publishers' | 'untrusted'>

/**
 * Code signing configs. There is no AWS Signer here, so no package can be shown to be signed: every one is untrusted.
 * `Warn` takes it all the same, and `Enforce` takes none, which is what it promises.
 */
export interface CodeSigning {
  create(wish: CodeSigningWish, tags: CodeSigningConfig['tags']): CodeSigningConfig
  /** @throws HearthError RESOURCE_NOT_FOUND */
  get(arn: string): CodeSigningConfig
  /** @throws HearthError RESOURCE_NOT_FOUND */
  update(arn: string, change: Partial<CodeSigningWish>): CodeSigningConfig
  /** @throws HearthError RESOURCE_NOT_FOUND, INVALID_REQUEST */
  changeTags(arn: string, change: (tags: CodeSigningConfig['tags']) => CodeSigningConfig['tags']): void
  /** @throws HearthError RESOURCE_NOT_FOUND, RESOURCE_IN_USE */
  remove(arn: string): void
  /** By id, those after `after`. */
  list(after: string, limit: number): readonly CodeSigningConfig[]
  /** Names of functions, those after `after`. @throws HearthError RESOURCE_NOT_FOUND */
  functionsOf(arn: string, after: string, limit: number): readonly string[]
  /** The function's config by its ARN. */
  arnOf(name: string): string | undefined
  /** In the transaction of the caller, who knows that the function is there. @throws HearthError CODE_SIGNING_CONFIG_NOT_FOUND */
  attach(name: string, arn: string): void
  detach(name: string): void
  /** Asked before a package becomes a function's. @throws HearthError CODE_NOT_SIGNED */
  checkPackage(name: string): void
  toArn(id: string): string
}

const ID_CHARS = 17

export function createCodeSigning(deps: {
  readonly configs: CodeSigningRepository
  readonly options: FunctionOptionsRepository
  readonly scope: ArnScope
  readonly now: () => Date
}): CodeSigning {
  const { configs, options, scope, now } = deps
  const prefix = `arn:aws:lambda:${scope.region}:${scope.accountId}:code-signing-config:`
  const toArn = (id: string): string => prefix + id
  const find = (arn: string): CodeSigningConfig | undefined =>
    arn.startsWith(prefix) ? configs.find(arn.slice(prefix.length)) : undefined
  const get = (arn: string): CodeSigningConfig => {
    const config = find(arn)
    if (config !== undefined) return config
    throw new HearthError('RESOURCE_NOT_FOUND', `The Lambda code signing configuration ${arn} can not be found.`)
  }

  return {
    toArn,
    get,

    create(wish, tags) {
      checkTags(tags)
      const config = { ...wish, tags, id: `csc-${randomId(ID_CHARS)}`, lastModified: now().toISOString() }
      configs.insert(config)
      return config
    },

    update: (arn, change) =>
      options.exclusively(() => {
        const config = { ...get(arn), ...change, lastModified: now().toISOString() }
        configs.write(config)
        return config
      }),

    changeTags(arn, change) {
      options.exclusively(() => {
        const config = get(arn)
        const tags = change(config.tags)
        checkTags(tags)
        configs.write({ ...config, tags })
      })
    },

    remove(arn) {
      options.exclusively(() => {
        const { id } = get(arn)
        const [user] = options.listByCodeSigning(id, '', 1)
        if (user !== undefined) {
          throw new HearthError(
            'RESOURCE_IN_USE',
            `The code signing configuration ${arn} is used by functions, ${user} among them. Take it away from them first.`
          )
        }
        configs.remove(id)
      })
    },

    list: (after, limit) => configs.list(after, limit),
    functionsOf: (arn, after, limit) => options.listByCodeSigning(get(arn).id, after, limit),

    arnOf(name) {
      const id = options.codeSigning(name)
      return id === undefined ? undefined : toArn(id)
    },

    attach(name, arn) {
      const config = find(arn)
      if (config === undefined) {
        throw new HearthError(
          'CODE_SIGNING_CONFIG_NOT_FOUND',
          `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${arn}.`
        )
      }
      options.setCodeSigning(name, config.id)
    },

    detach: (name) => {
      options.setCodeSigning(name, undefined)
    },

    checkPackage(name) {
      const id = options.codeSigning(name)
      if (id === undefined || configs.find(id)?.untrusted !== 'Enforce') return
      throw new HearthError(
        'CODE_NOT_SIGNED',
        `The package of ${name} is not signed by a publisher that ${toArn(id)} allows, and its UntrustedArtifactOnDeployment is Enforce. This server has no AWS Signer and can verify no signature: with Enforce it takes no package at all, with Warn every one.`
      )
    }
  }
}
