import { type ArnScope, HearthError, layerVersionArn } from '@hearth/shared'
import type { LayersRepository, LayerVersion, PolicyStatement, ResourcePolicy } from '@hearth/store'
import { noPolicy, requireRevision, withoutStatement, withStatement } from '../functions/statements.ts'
import type { StoredPackage } from '../packages/package-store.ts'

/** What the publisher says of a version. */
export interface LayerSettings {
  readonly description: string
  readonly license: string | undefined
  readonly runtimes: readonly string[] | undefined
  readonly architectures: readonly string[] | undefined
}

export interface LayerFilter {
  readonly runtime?: string | undefined
  readonly architecture?: string | undefined
}

/** A permission as it is asked for. */
export interface LayerPermission {
  readonly statementId: string
  readonly action: string
  /** `*`, an account, or the ARN of its root. */
  readonly principal: string
  readonly organizationId: string | undefined
}

/** The use cases of layers, behind both API dialects. */
export interface LayerService {
  publish(name: string, settings: LayerSettings, code: StoredPackage): LayerVersion
  /** @throws HearthError LAYER_NOT_FOUND, INVALID_REQUEST for a number below 1 */
  get(name: string, version: number): LayerVersion
  find(name: string, version: number): LayerVersion | undefined
  findNewest(name: string): LayerVersion | undefined
  /** The newest version that fits, of each name that has one; names in order, after `after`. */
  list(after: string, limit: number, filter: LayerFilter): readonly LayerVersion[]
  /** Newest first, those before `before`. */
  listVersions(name: string, before: number, limit: number, filter: LayerFilter): readonly LayerVersion[]
  /** Functions that use it go on. @returns whether it was there. @throws HearthError INVALID_REQUEST for a number below 1 */
  remove(name: string, version: number): boolean
  /** @throws HearthError LAYER_NOT_FOUND, POLICY_NOT_FOUND */
  getPolicy(name: string, version: number): ResourcePolicy
  /** @throws HearthError LAYER_NOT_FOUND, INVALID_REQUEST, STATEMENT_EXISTS, REVISION_MISMATCH, POLICY_TOO_LARGE */
  addPermission(
    name: string,
    version: number,
    permission: LayerPermission,
    revisionId: string | undefined
  ): { readonly statement: PolicyStatement; readonly revisionId: string }
  /** @throws HearthError LAYER_NOT_FOUND, POLICY_NOT_FOUND, REVISION_MISMATCH */
  removePermission(name: string, version: number, statementId: string, revisionId: string | undefined): void
}

export function createLayerService(layers: LayersRepository, scope: ArnScope, now: () => Date): LayerService {
  const noVersion = (name: string, version: number): HearthError =>
    new HearthError('LAYER_NOT_FOUND', `Layer version ${layerVersionArn(scope, name, version)} does not exist.`)

  const findPositive = (name: string, version: number): LayerVersion | undefined => {
    if (version < 1) throw new HearthError('INVALID_REQUEST', 'Layer Version Cannot be less than 1 ')
    return layers.find(name, version)
  }

  const updatePolicy = (
    name: string,
    version: number,
    change: (current: ResourcePolicy | undefined) => ResourcePolicy | undefined
  ): LayerVersion => {
    if (findPositive(name, version) === undefined) throw noVersion(name, version)
    const updated = layers.updatePolicy(name, version, change)
    if (updated === undefined) throw noVersion(name, version)
    return updated
  }

  return {
    publish: (name, settings, code) =>
      layers.publish({
        name,
        ...settings,
        artifact: code.artifact,
        codeSha256: code.codeSha256,
        codeSize: code.codeSize,
        unzippedSize: code.unzippedSize,
        createdAt: now().toISOString()
      }),

    get(name, version) {
      const found = findPositive(name, version)
      if (found !== undefined) return found
      throw new HearthError('LAYER_NOT_FOUND', noVersion(name, version).message, {
        awsMessage: 'The resource you requested does not exist.'
      })
    },

    find: findPositive,
    findNewest: (name) => layers.findNewest(name),

    list(after, limit, filter) {
      const found: LayerVersion[] = []
      let last = after
      while (found.length < limit) {
        const names = layers.listNames(last, limit)
        for (const name of names) {
          const [newest] = newestFitting(layers, name, Number.MAX_SAFE_INTEGER, 1, filter)
          if (newest !== undefined && found.length < limit) found.push(newest)
        }
        last = names.at(-1) ?? last
        if (names.length < limit) break
      }
      return found
    },

    listVersions: (name, before, limit, filter) => newestFitting(layers, name, before, limit, filter),

    remove: (name, version) => findPositive(name, version) !== undefined && layers.remove(name, version),

    getPolicy(name, version) {
      const found = findPositive(name, version)
      if (found === undefined) throw noVersion(name, version)
      if (found.policy === undefined) throw noPolicy()
      return found.policy
    },

    addPermission(name, version, permission, revisionId) {
      if (permission.organizationId !== undefined && permission.principal !== '*') {
        throw new HearthError('INVALID_REQUEST', 'The principal must be * when an organization is named.', {
          awsMessage: 'Principal must be * when an OrganizationId is given.'
        })
      }
      const statement = toStatement(permission, layerVersionArn(scope, name, version))
      const { policy } = updatePolicy(name, version, (current) => {
        requireRevision(current, revisionId, 'GetLayerPolicy')
        return withStatement(current, statement)
      })
      return { statement, revisionId: policy?.revisionId ?? '' }
    },

    removePermission(name, version, statementId, revisionId) {
      updatePolicy(name, version, (current) => {
        if (current === undefined) throw noPolicy()
        requireRevision(current, revisionId, 'GetLayerPolicy')
        return withoutStatement(current, statementId)
      })
    }
  }
}

function newestFitting(
  layers: LayersRepository,
  name: string,
  before: number,
  limit: number,
  { runtime, architecture }: LayerFilter
): readonly LayerVersion[] {
  const found: LayerVersion[] = []
  let from = before
  for (;;) {
    const page = layers.listVersions(name, from, limit)
    for (const version of page) {
      const fits =
        (runtime === undefined || version.runtimes?.includes(runtime) === true) &&
        (architecture === undefined || version.architectures?.includes(architecture) === true)
      if (fits && found.length < limit) found.push(version)
    }
    from = page.at(-1)?.version ?? 0
    if (found.length === limit || page.length < limit) return found
  }
}

function toStatement({ statementId, action, principal, organizationId }: LayerPermission, resource: string) {
  return {
    Sid: statementId,
    Effect: 'Allow',
    Principal:
      principal === '*' ? '*' : { AWS: /^\d+$/.test(principal) ? `arn:aws:iam::${principal}:root` : principal },
    Action: action,
    Resource: resource,
    ...(organizationId === undefined ? {} : { Condition: { StringEquals: { 'aws:PrincipalOrgID': organizationId } } })
  }
}
