import { type ArnScope, HearthError } from '@hearth/shared'
import type { ParametersRepository, ParameterTier, ParameterType, ParameterVersion } from '@hearth/store'
import type { Tag, Tags } from '../access/tags.ts'
import { checkParameterName, type ParameterRef, parameterArn, parseParameterRef } from './parameter-names.ts'
import { addTags, removeTags } from './resource-tags.ts'

export interface ParameterChange {
  readonly name: string
  readonly value: string
  /** Default: that of the version before. */
  readonly type?: ParameterType | undefined
  readonly description?: string | undefined
  readonly overwrite: boolean
  readonly tags: readonly Tag[]
  /** Default: as small as it is enough for the value, if `intelligent`; else the one of the version before. */
  readonly tier?: ParameterTier | 'Intelligent-Tiering' | undefined
  /** ARN. */
  readonly by: string
}

/** AWS's Parameter Store. */
export interface ParameterService {
  readonly scope: ArnScope
  /** @returns the newest version's name, or how it would be called. */
  refOf(text: string): ParameterRef
  arnOf(name: string): string
  /** @throws HearthError VALIDATION_FAILED, PARAMETER_EXISTS, LIMIT_EXCEEDED */
  put(change: ParameterChange): ParameterVersion
  /** @throws HearthError PARAMETER_NOT_FOUND */
  get(ref: ParameterRef): ParameterVersion
  find(ref: ParameterRef): ParameterVersion | undefined
  /** Newest versions by name. */
  list(prefix: string): readonly ParameterVersion[]
  history(name: string): readonly ParameterVersion[]
  /** @param decrypt - Else a SecureString is what lies in the database. */
  valueOf(version: ParameterVersion, decrypt: boolean): string
  /** @returns whether there was one */
  remove(name: string): boolean
  tags(name: string): Tags
  /** @throws HearthError RESOURCE_NOT_FOUND with AWS's InvalidResourceId */
  tag(name: string, tags: readonly Tag[]): void
  untag(name: string, keys: readonly string[]): void
  /** @returns labels that are none */
  label(
    name: string,
    version: number | undefined,
    labels: readonly string[]
  ): {
    readonly version: number
    readonly invalid: readonly string[]
  }
}

export interface ParameterServiceDeps {
  readonly parameters: ParametersRepository
  readonly scope: ArnScope
  readonly now: () => Date
  readonly exclusively: <T>(work: () => T) => T
}

/** Source: Systems Manager quotas. */
const VALUE_BYTES = { Standard: 4_096, Advanced: 8_192 } as const
const MAX_VERSIONS = 100
const MAX_LABELS = 10
const MAX_STANDARD = 10_000

export function createParameterService(deps: ParameterServiceDeps): ParameterService {
  const { parameters, scope, now, exclusively } = deps

  const find = ({ name, selector }: ParameterRef): ParameterVersion | undefined => {
    if (selector === undefined) return parameters.find(name)
    const versions = parameters.versions(name)
    const isNumber = /^\d+$/.test(selector)
    return versions.find(({ version, labels }) => (isNumber ? version === Number(selector) : labels.includes(selector)))
  }
  const get = (ref: ParameterRef): ParameterVersion => {
    const found = find(ref)
    if (found !== undefined) return found
    if (ref.selector !== undefined && parameters.find(ref.name) !== undefined) {
      throw new HearthError(
        'PARAMETER_NOT_FOUND',
        `Systems Manager could not find version ${ref.selector} of ${ref.name}. Verify the version and try again.`,
        { awsCode: 'ParameterVersionNotFound' }
      )
    }
    throw new HearthError('PARAMETER_NOT_FOUND', `There is no parameter ${ref.name}.`)
  }
  const requireResource = (name: string): void => {
    if (parameters.find(name) !== undefined) return
    throw new HearthError(
      'RESOURCE_NOT_FOUND',
      'The resource ID is not valid. Verify that you entered the correct ID and try again.',
      {
        awsCode: 'InvalidResourceId'
      }
    )
  }

  /** Under the write lock: makes room for one more version. */
  const makeRoom = (name: string): void => {
    const versions = parameters.versions(name)
    const [oldest] = versions
    if (oldest === undefined || versions.length < MAX_VERSIONS) return
    if (oldest.labels.length > 0) {
      throw new HearthError(
        'LIMIT_EXCEEDED',
        `You attempted to create a new version of ${name}, but the oldest version can't be deleted because it has a label.`,
        { awsCode: 'ParameterMaxVersionLimitExceeded' }
      )
    }
    parameters.removeVersion(name, oldest.version)
  }

  return {
    scope,
    refOf: (text) => parseParameterRef(scope, text),
    arnOf: (name) => parameterArn(scope, name),
    find,
    get,

    put(change) {
      const { name, value, tags } = change
      checkParameterName(name)
      return exclusively(() => {
        const before = parameters.find(name)
        if (before !== undefined && !change.overwrite) {
          throw new HearthError(
            'PARAMETER_EXISTS',
            'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.'
          )
        }
        if (change.overwrite && tags.length > 0) {
          throw new HearthError(
            'VALIDATION_FAILED',
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource."
          )
        }
        const type = change.type ?? before?.type
        if (type === undefined) {
          throw new HearthError('VALIDATION_FAILED', 'A parameter type is required when you create a parameter.')
        }
        if (before !== undefined && before.type !== type) {
          throw new HearthError(
            'VALIDATION_FAILED',
            'The type of a parameter cannot be changed: create another parameter.',
            {
              awsCode: 'HierarchyTypeMismatchException'
            }
          )
        }
        const tier = tierOf(change, before)
        if (before === undefined && parameters.list('').length >= MAX_STANDARD) {
          throw new HearthError('LIMIT_EXCEEDED', `There can be ${MAX_STANDARD} parameters at most.`, {
            awsCode: 'ParameterLimitExceeded'
          })
        }
        makeRoom(name)
        const version: ParameterVersion = {
          name,
          version: (before?.version ?? 0) + 1,
          type,
          description: change.description ?? before?.description,
          tier,
          labels: [],
          modifiedAt: now().getTime(),
          modifiedBy: change.by
        }
        parameters.add(version, value)
        if (tags.length > 0) parameters.setTags(name, addTags({}, tags))
        return version
      })
    },

    list: (prefix) => parameters.list(prefix),
    history(name) {
      get({ name, selector: undefined })
      return parameters.versions(name)
    },
    valueOf: (version, decrypt) =>
      version.type === 'SecureString' && !decrypt ? parameters.sealed(version) : parameters.value(version),
    remove: (name) => exclusively(() => parameters.remove(name)),

    tags(name) {
      requireResource(name)
      return parameters.tags(name)
    },
    tag(name, tags) {
      exclusively(() => {
        requireResource(name)
        parameters.setTags(name, addTags(parameters.tags(name), tags, 'ValidationException'))
      })
    },
    untag(name, keys) {
      exclusively(() => {
        requireResource(name)
        parameters.setTags(name, removeTags(parameters.tags(name), keys))
      })
    },

    label: (name, wanted, labels) =>
      exclusively(() => {
        const target = get({ name, selector: wanted === undefined ? undefined : String(wanted) })
        const isLabel = (label: string) => /^[a-zA-Z0-9_.-]{1,100}$/.test(label) && !/^(\d|aws|ssm)/i.test(label)
        const given = [...new Set(labels.filter(isLabel))]
        for (const version of parameters.versions(name)) {
          const others = version.labels.filter((label) => !given.includes(label))
          const after = version.version === target.version ? [...others, ...given] : others
          if (after.length > MAX_LABELS) {
            throw new HearthError('LIMIT_EXCEEDED', `A parameter version can have ${MAX_LABELS} labels at most.`, {
              awsCode: 'ParameterVersionLabelLimitExceeded'
            })
          }
          if (after.join() !== version.labels.join()) parameters.setLabels(name, version.version, after)
        }
        return { version: target.version, invalid: labels.filter((label) => !isLabel(label)) }
      })
  }
}

/** @throws HearthError VALIDATION_FAILED when the value is too large for the tier */
function tierOf({ value, tier: wanted }: ParameterChange, before: ParameterVersion | undefined): ParameterTier {
  const bytes = Buffer.byteLength(value)
  if (bytes > VALUE_BYTES.Advanced) {
    throw new HearthError(
      'VALIDATION_FAILED',
      `Advanced tier parameters support a maximum parameter value of ${VALUE_BYTES.Advanced} characters.`
    )
  }
  const needed = bytes > VALUE_BYTES.Standard ? 'Advanced' : 'Standard'
  if (wanted === 'Intelligent-Tiering') return before?.tier === 'Advanced' ? 'Advanced' : needed
  const tier = wanted ?? before?.tier ?? 'Standard'
  if (before?.tier === 'Advanced' && tier === 'Standard') {
    throw new HearthError(
      'VALIDATION_FAILED',
      "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier."
    )
  }
  if (needed === 'Advanced' && tier === 'Standard') {
    throw new HearthError(
      'VALIDATION_FAILED',
      `Standard tier parameters support a maximum parameter value of ${VALUE_BYTES.Standard} characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.`
    )
  }
  return tier
}
