import { createHash } from 'node:crypto'
import { type ArnScope, AWS_MANAGED_POLICIES, type AwsManagedPolicy, HearthError, newUniqueId } from '@hearth/shared'
import type { PoliciesRepository, PolicyRecord, PolicyRef, PolicyVersionRecord } from '@hearth/store'
import { nameInArn, POLICY_VERSION_ID, policyArn } from './names.ts'
import { checkManagedDocument } from './policy-documents.ts'
import { type Tag, type Tags, withoutTags, withTags } from './tags.ts'

/** A managed policy, of this server or one of AWS's. */
export interface ManagedPolicy {
  readonly ref: PolicyRef
  readonly arn: string
  readonly name: string
  readonly path: string
  readonly policyId: string
  readonly description: string | undefined
  /** Of the default version: `v1`, … */
  readonly versionId: string
  /** How many users and roles it is attached to, and how many it bounds. */
  readonly attachments: number
  readonly boundaries: number
  readonly tags: Tags
  readonly createdAt: string
  readonly updatedAt: string
}

export interface PolicyVersion {
  readonly versionId: string
  readonly isDefault: boolean
  readonly document: string
  readonly createdAt: string
}

export interface NewPolicy {
  readonly name: string
  readonly path?: string | undefined
  readonly document: string
  readonly description?: string | undefined
  readonly tags?: readonly Tag[] | undefined
}

/** Managed policies. All by ARN; one that is not there is POLICY_NOT_FOUND, what is no ARN INVALID_REQUEST. */
export interface ManagedPolicies {
  arnOf(ref: PolicyRef): string
  /** @throws HearthError POLICY_NOT_FOUND, with what AWS says of one that is to be attached. */
  refToAttach(arn: string): PolicyRef
  get(arn: string): ManagedPolicy
  /** One of this server's. */
  findByName(name: string): ManagedPolicy | undefined
  /** By name. @param scope - Whose. */
  list(scope: 'all' | 'aws' | 'own', pathPrefix?: string): readonly ManagedPolicy[]
  /** @throws HearthError POLICY_EXISTS, MALFORMED_POLICY, LIMIT_EXCEEDED, INVALID_REQUEST */
  create(policy: NewPolicy): ManagedPolicy
  /** @throws HearthError DELETE_CONFLICT while it is attached, bounds somebody or has more versions; ACCESS_DENIED */
  remove(arn: string): void
  /** {@link ManagedPolicies.remove} with all its versions. */
  removeWithVersions(arn: string): void
  listVersions(arn: string): readonly PolicyVersion[]
  getVersion(arn: string, versionId: string): PolicyVersion
  /** @throws HearthError LIMIT_EXCEEDED, MALFORMED_POLICY, ACCESS_DENIED */
  addVersion(arn: string, document: string, asDefault: boolean): PolicyVersion
  /** {@link ManagedPolicies.addVersion} as the default; the oldest goes when there are five. */
  replace(arn: string, document: string): PolicyVersion
  setDefault(arn: string, versionId: string): void
  /** @throws HearthError DELETE_CONFLICT for the default version; ACCESS_DENIED */
  removeVersion(arn: string, versionId: string): void
  /** @throws HearthError LIMIT_EXCEEDED, INVALID_REQUEST, ACCESS_DENIED */
  tag(arn: string, tags: readonly Tag[]): void
  untag(arn: string, keys: readonly string[]): void
}

export interface ManagedPoliciesDeps {
  readonly policies: PoliciesRepository
  readonly scope: ArnScope
  readonly now: () => Date
  readonly exclusively: <T>(work: () => T) => T
}

const MAX_VERSIONS = 5
const MAX_POLICIES = 1_500

export function createManagedPolicies({ policies, scope, now, exclusively }: ManagedPoliciesDeps): ManagedPolicies {
  const arnOfOwn = (policy: Pick<PolicyRecord, 'path' | 'name'>): string => policyArn(scope.accountId, policy)

  const findOwn = (arn: string): PolicyRecord | undefined => {
    const name = nameInArn(arn, scope.accountId, 'policy')
    const record = name === undefined ? undefined : policies.find(name)
    return record !== undefined && arnOfOwn(record) === arn ? record : undefined
  }

  /** One that may be changed. */
  const ownOf = (arn: string): PolicyRecord => {
    checkArn(arn)
    const record = findOwn(arn)
    if (record !== undefined) return record
    if (AWS_MANAGED_POLICIES.has(arn)) throw new HearthError('ACCESS_DENIED', `${arn} is AWS's: it cannot be changed.`)
    throw notFound(arn)
  }

  const ownView = (record: PolicyRecord): ManagedPolicy => ({
    ref: record.name,
    arn: arnOfOwn(record),
    name: record.name,
    path: record.path,
    policyId: record.policyId,
    description: record.description,
    versionId: `v${record.defaultVersion}`,
    ...policies.usesOf(record.name),
    tags: record.tags,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt
  })

  const awsView = (policy: AwsManagedPolicy): ManagedPolicy => ({
    ref: policy.arn,
    arn: policy.arn,
    name: policy.name,
    path: policy.path,
    policyId: idOfAws(policy.name),
    description: undefined,
    versionId: policy.versionId,
    ...policies.usesOf(policy.arn),
    tags: {},
    createdAt: policy.createdAt,
    updatedAt: policy.updatedAt
  })

  const find = (arn: string): ManagedPolicy | undefined => {
    checkArn(arn)
    const aws = AWS_MANAGED_POLICIES.get(arn)
    if (aws !== undefined) return awsView(aws)
    const own = findOwn(arn)
    return own === undefined ? undefined : ownView(own)
  }

  const get = (arn: string): ManagedPolicy => {
    const policy = find(arn)
    if (policy === undefined) throw notFound(arn)
    return policy
  }

  const versionOf = (arn: string, record: PolicyRecord, versionId: string): PolicyVersionRecord => {
    const number = Number(POLICY_VERSION_ID.exec(versionId)?.[1] ?? 0)
    const version = policies.findVersion(record.name, number)
    if (version === undefined) throw noVersion(arn, versionId)
    return version
  }

  const versionView = (record: PolicyRecord, version: PolicyVersionRecord): PolicyVersion => ({
    versionId: `v${version.version}`,
    isDefault: version.version === record.defaultVersion,
    document: version.document,
    createdAt: version.createdAt
  })

  const remove = (arn: string, withVersions: boolean): void => {
    exclusively(() => {
      const { name } = ownOf(arn)
      const { attachments, boundaries } = policies.usesOf(name)
      if (attachments + boundaries > 0) {
        throw new HearthError('DELETE_CONFLICT', 'Cannot delete a policy attached to entities.')
      }
      if (!withVersions && policies.listVersions(name).length > 1) {
        throw new HearthError(
          'DELETE_CONFLICT',
          "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy."
        )
      }
      policies.remove(name)
    })
  }

  const addVersion = (arn: string, document: string, asDefault: boolean, makeRoom: boolean): PolicyVersion => {
    checkManagedDocument(document)
    return exclusively(() => {
      const record = ownOf(arn)
      const versions = policies.listVersions(record.name)
      if (versions.length >= MAX_VERSIONS) {
        if (!makeRoom) {
          throw new HearthError(
            'LIMIT_EXCEEDED',
            `A managed policy can have up to ${MAX_VERSIONS} versions. Before you create a new version, you must delete an existing version.`
          )
        }
        const oldest = versions.findLast(({ version }) => version !== record.defaultVersion)
        if (oldest !== undefined) policies.removeVersion(record.name, oldest.version)
      }
      const { createdAt, version } = policies.addVersion(record.name, document, asDefault, now().toISOString())
      return { versionId: `v${version}`, isDefault: asDefault, document, createdAt }
    })
  }

  return {
    arnOf(ref) {
      if (ref.includes(':')) return ref
      const record = policies.find(ref)
      return record === undefined ? `arn:aws:iam::${scope.accountId}:policy/${ref}` : arnOfOwn(record)
    },

    refToAttach(arn) {
      const policy = find(arn)
      if (policy === undefined) {
        throw new HearthError('POLICY_NOT_FOUND', `Policy ${arn} does not exist or is not attachable.`)
      }
      return policy.ref
    },

    get,

    findByName(name) {
      const record = policies.find(name)
      return record === undefined ? undefined : ownView(record)
    },

    list(whose, pathPrefix = '/') {
      const own = whose === 'aws' ? [] : policies.list('', pathPrefix, MAX_POLICIES).map(ownView)
      const aws = [...AWS_MANAGED_POLICIES.values()].filter(({ path }) => path.startsWith(pathPrefix))
      const all = whose === 'own' ? own : [...own, ...aws.map(awsView)]
      return all.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    },

    create({ name, path = '/', document, description, tags = [] }) {
      checkManagedDocument(document)
      const checked = withTags({}, tags)
      return exclusively(() => {
        if (policies.findInAnyCase(name) !== undefined) {
          throw new HearthError(
            'POLICY_EXISTS',
            `A policy called ${name} already exists. Duplicate names are not allowed.`
          )
        }
        if (policies.list('', '/', MAX_POLICIES).length >= MAX_POLICIES) {
          throw new HearthError('LIMIT_EXCEEDED', `Cannot exceed quota for PoliciesPerAccount: ${MAX_POLICIES}`)
        }
        const createdAt = now().toISOString()
        const policyId = newUniqueId('ANPA')
        return ownView(policies.create({ name, path, policyId, description, tags: checked, createdAt }, document))
      })
    },

    remove: (arn) => {
      remove(arn, false)
    },
    removeWithVersions: (arn) => {
      remove(arn, true)
    },

    listVersions(arn) {
      checkArn(arn)
      const aws = AWS_MANAGED_POLICIES.get(arn)
      if (aws !== undefined) return [awsVersion(aws)]
      const record = findOwn(arn)
      if (record === undefined) throw notFound(arn)
      return policies.listVersions(record.name).map((version) => versionView(record, version))
    },

    getVersion(arn, versionId) {
      checkArn(arn)
      const aws = AWS_MANAGED_POLICIES.get(arn)
      if (aws !== undefined) {
        if (aws.versionId !== versionId) throw noVersion(arn, versionId)
        return awsVersion(aws)
      }
      const record = findOwn(arn)
      if (record === undefined) throw notFound(arn)
      return versionView(record, versionOf(arn, record, versionId))
    },

    addVersion: (arn, document, asDefault) => addVersion(arn, document, asDefault, false),
    replace: (arn, document) => addVersion(arn, document, true, true),

    setDefault(arn, versionId) {
      exclusively(() => {
        const record = ownOf(arn)
        policies.setDefault(record.name, versionOf(arn, record, versionId).version, now().toISOString())
      })
    },

    removeVersion(arn, versionId) {
      exclusively(() => {
        const record = ownOf(arn)
        const { version } = versionOf(arn, record, versionId)
        if (version === record.defaultVersion) {
          throw new HearthError('DELETE_CONFLICT', 'Cannot delete the default version of a policy.')
        }
        policies.removeVersion(record.name, version)
      })
    },

    tag(arn, tags) {
      exclusively(() => {
        const record = ownOf(arn)
        policies.setTags(record.name, withTags(record.tags, tags))
      })
    },

    untag(arn, keys) {
      exclusively(() => {
        const record = ownOf(arn)
        policies.setTags(record.name, withoutTags(record.tags, keys))
      })
    }
  }
}

function awsVersion(policy: AwsManagedPolicy): PolicyVersion {
  return { versionId: policy.versionId, isDefault: true, document: policy.document, createdAt: policy.updatedAt }
}

/** Always the same for a name; AWS's own ids are not known here. */
function idOfAws(name: string): string {
  const digest = createHash('sha256').update(name).digest()
  return `ANPA${Array.from(digest.subarray(0, 17), (byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[byte % 32]).join('')}`
}

/** @throws HearthError INVALID_REQUEST. @see reference: IAM §4.3 (two blanks) */
function checkArn(text: string): void {
  if (/^arn:[^:]+:iam::[^:]*:policy\/.+$/.test(text)) return
  if (!text.startsWith('arn:')) throw new HearthError('INVALID_REQUEST', 'Invalid ARN:  Could not be parsed!')
  throw new HearthError('INVALID_REQUEST', `ARN ${text} is not valid.`, { awsCode: 'InvalidInput' })
}

function notFound(arn: string): HearthError {
  return new HearthError('POLICY_NOT_FOUND', `Policy ${arn} was not found.`)
}

function noVersion(arn: string, versionId: string): HearthError {
  return new HearthError('POLICY_NOT_FOUND', `Policy ${arn} version ${versionId} does not exist or is not attachable.`)
}
