import { type Api, type ApiSnapshot, type ArnScope, HearthError } from '@hearth/shared'
import type { ApiPartKind, ApiParts, ApisRepository } from '@hearth/store'
import { randomId } from '../random-id.ts'
import { createFunctionTargets, type FunctionTargets } from './function-target.ts'
import { badRequest, notFound, tooMany } from './refusals.ts'

export interface ApisDeps {
  readonly repository: ApisRepository
  readonly scope: ArnScope
  /** APIs are `<id>.` before this name. */
  readonly urlDomain: string
  readonly now: () => Date
  readonly exclusively: <T>(work: () => T) => T
  readonly functionExists: (name: string, qualifier: string | undefined) => boolean
  /** @throws HearthError VALIDATION_FAILED for a role that API Gateway cannot take */
  readonly requireRole: (roleArn: string) => void
  /** Whether a host leads to something already. */
  readonly isHostTaken: (host: string) => boolean
}

/** What the parts of an API have in common: each change of one is deployed to the stages that ask for that. */
export interface Drafts extends ApisDeps, FunctionTargets {
  /** @throws HearthError RESOURCE_NOT_FOUND */
  get(apiId: string): Api
  /** @throws HearthError RESOURCE_NOT_FOUND */
  part<K extends ApiPartKind>(apiId: string, kind: K, id: string): ApiParts[K]
  all<K extends ApiPartKind>(apiId: string, kind: K): readonly ApiParts[K][]
  snapshot(apiId: string): ApiSnapshot
  /** Of an API: changes it, and deploys what is deployed by itself. All or nothing. */
  change<T>(apiId: string, work: (api: Api) => T): T
  /** Puts what the draft is now where it is to be served at once. */
  deploy(apiId: string): void
  newPartId(): string
  /** @throws HearthError LIMIT_EXCEEDED */
  requireRoom(apiId: string, kind: ApiPartKind): void
  /** @throws HearthError INVALID_REQUEST */
  requireRole(roleArn: string): void
}

/** Of one API. Source: API Gateway quotas. */
const LIMITS: Readonly<Record<ApiPartKind, number>> = {
  route: 300,
  integration: 300,
  authorizer: 10,
  stage: 10,
  deployment: 1_000
}
const WORDS: Readonly<Record<ApiPartKind, string>> = {
  route: 'Route',
  integration: 'Integration',
  authorizer: 'Authorizer',
  stage: 'Stage',
  deployment: 'Deployment'
}
const ALL = 100_000
const AUTOMATIC = 'Automatic deployment triggered by changes to the Api configuration'

export function createDrafts(deps: ApisDeps): Drafts {
  const { repository, now, exclusively, scope } = deps
  /** APIs of which several changes are being made, to be deployed once. */
  const open = new Set<string>()

  const get = (apiId: string): Api => {
    const api = repository.find(apiId)
    if (api === undefined) throw notFound(`Invalid API identifier specified ${scope.accountId}:${apiId}`)
    return api
  }
  const all = <K extends ApiPartKind>(apiId: string, kind: K): readonly ApiParts[K][] =>
    repository.listParts(apiId, kind, '', ALL)
  const snapshot = (apiId: string): ApiSnapshot => ({
    routes: all(apiId, 'route'),
    integrations: all(apiId, 'integration'),
    authorizers: all(apiId, 'authorizer')
  })

  function deploy(apiId: string): void {
    const stages = all(apiId, 'stage').filter(({ autoDeploy }) => autoDeploy)
    const draft = snapshot(apiId)
    // What was never deployed and leads nowhere has nothing to serve, as on AWS.
    const ready = stages.filter(({ deploymentId }) => deploymentId !== undefined || draft.routes.length > 0)
    if (ready.length > 0) {
      const at = now().getTime()
      const id = randomId(PART_CHARS)
      repository.putPart(apiId, 'deployment', {
        ...draft,
        id,
        description: AUTOMATIC,
        autoDeployed: true,
        createdAt: at
      })
      for (const stage of ready) repository.putPart(apiId, 'stage', { ...stage, deploymentId: id, modifiedAt: at })
    }
    repository.removeUnusedDeployments(apiId)
  }

  return {
    ...deps,
    ...createFunctionTargets(scope, deps.functionExists),
    get,
    part(apiId, kind, id) {
      get(apiId)
      const part = repository.findPart(apiId, kind, id)
      if (part === undefined) throw notFound(`Unable to find ${WORDS[kind]} by ID ${id} within the provided API`)
      return part
    },
    all,
    snapshot,
    change(apiId, work) {
      return exclusively(() => {
        const api = get(apiId)
        if (open.has(apiId)) return work(api)
        open.add(apiId)
        try {
          const result = work(api)
          deploy(apiId)
          return result
        } finally {
          open.delete(apiId)
        }
      })
    },
    deploy,
    newPartId: () => randomId(PART_CHARS),
    requireRoom(apiId, kind) {
      if (repository.countParts(apiId, kind) >= LIMITS[kind])
        throw tooMany(`${WORDS[kind]}s for this API`, LIMITS[kind])
    },
    requireRole(roleArn) {
      try {
        deps.requireRole(roleArn)
      } catch (err) {
        if (!(err instanceof HearthError)) throw err
        const why = 'there is no such role here, or it does not let apigateway.amazonaws.com assume it'
        throw badRequest(`Invalid credentials ARN ${roleArn}: ${why}.`, 'credentialsArn')
      }
    }
  }
}

const PART_CHARS = 7

/** What stands for "none" in changes. */
export function orNone(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}

/** @returns what is to be, with the members of a change that are there put over it */
export function merged<T extends object>(current: T, change: object): T {
  return { ...current, ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) }
}
