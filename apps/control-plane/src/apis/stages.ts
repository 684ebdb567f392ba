import type { ApiStage, RouteThrottle } from '@hearth/shared'
import { z } from 'zod'
import { type Drafts, orNone } from './drafts.ts'
import { Description, isEmpty, isoSeconds, Tags, Unserved } from './model.ts'
import { badRequest, conflict, notFound, unsupported } from './refusals.ts'
import { checkTags } from './resource-tags.ts'

const RouteSettings = z.strictObject({
  throttlingBurstLimit: z.int().min(0).max(2_147_483_647).optional(),
  throttlingRateLimit: z.number().min(0).max(1_000_000_000).optional(),
  dataTraceEnabled: z.boolean().optional(),
  detailedMetricsEnabled: z.boolean().optional(),
  loggingLevel: z.enum(['ERROR', 'INFO', 'OFF']).optional()
})
const Settings = {
  description: Description.optional(),
  autoDeploy: z.boolean().optional(),
  deploymentId: z.string().optional(),
  stageVariables: z.record(z.string(), z.string().max(2_048)).optional(),
  defaultRouteSettings: RouteSettings.optional(),
  routeSettings: z.record(z.string(), RouteSettings).optional(),
  accessLogSettings: z
    .strictObject({ destinationArn: z.string().max(2_048).optional(), format: z.string().max(4_096).optional() })
    .optional(),
  clientCertificateId: Unserved
}
export const CreateStageInput = z.strictObject({
  ...Settings,
  stageName: z.string().min(1).max(128),
  tags: Tags.optional()
})
export const UpdateStageInput = z.strictObject(Settings)
type CreateStage = z.output<typeof CreateStageInput>
type UpdateStage = z.output<typeof UpdateStageInput>

/** What is served, by the first part of its path. */
export interface Stages {
  create(apiId: string, input: CreateStage, isManaged?: true): ApiStage
  /** Variables and settings of routes are put to those that there are; an empty variable goes. */
  update(apiId: string, name: string, change: UpdateStage): ApiStage
  /** @throws HearthError INVALID_REQUEST while a domain leads to it */
  remove(apiId: string, name: string): void
  removeRouteSettings(apiId: string, name: string, routeKey: string): void
  removeAccessLogSettings(apiId: string, name: string): void
  put(apiId: string, stage: ApiStage): void
}

const STAGE_NAME = /^[A-Za-z0-9_-]{1,128}$/
const VARIABLE = /^[A-Za-z0-9_]{1,64}$/
const VALUE = /^[A-Za-z0-9\-._~:/?#&=,@+;%!$'()* ]*$/

export function createStages(drafts: Drafts): Stages {
  const { repository, now, exclusively } = drafts

  /** @param before - Undefined: a new one, which has been given a name */
  function made(apiId: string, before: ApiStage, change: UpdateStage): ApiStage {
    if (!isEmpty(change.clientCertificateId)) {
      throw unsupported(
        'clientCertificateId is not supported: functions are not reached by TLS.',
        'clientCertificateId'
      )
    }
    const autoDeploy = change.autoDeploy ?? before.autoDeploy
    const given = orNone(change.deploymentId)
    if (autoDeploy && given !== undefined && given !== before.deploymentId) {
      throw badRequest('deploymentId cannot be given for a stage with autoDeploy.', 'deploymentId')
    }
    if (given !== undefined) drafts.part(apiId, 'deployment', given)
    requireRoutes(apiId, Object.keys(change.routeSettings ?? {}))
    const old = before.settings as StageSettings
    const defaults = { ...old.defaultRouteSettings, ...defined(change.defaultRouteSettings) }
    const routes = { ...old.routeSettings }
    for (const [key, settings] of Object.entries(change.routeSettings ?? {})) {
      routes[key] = { ...routes[key], ...defined(settings) }
    }
    return {
      ...before,
      deploymentId: given ?? before.deploymentId,
      autoDeploy,
      description: change.description === undefined ? before.description : orNone(change.description),
      variables: variablesOf(before.variables, change.stageVariables),
      throttle: throttleOf(defaults),
      routeThrottles: Object.fromEntries(Object.entries(routes).map(([key, settings]) => [key, throttleOf(settings)])),
      settings: {
        defaultRouteSettings: defaults,
        routeSettings: routes,
        accessLogSettings: isEmpty(change.accessLogSettings) ? old.accessLogSettings : change.accessLogSettings
      },
      modifiedAt: now().getTime()
    }
  }

  function requireRoutes(apiId: string, keys: readonly string[]): void {
    const missing = keys.find((key) => repository.findPartByKey(apiId, 'route', key) === undefined)
    if (missing !== undefined)
      throw notFound(`Unable to find Route by key ${missing} within the provided RouteSettings`)
  }

  /** Deploys a stage that is or becomes one with autoDeploy; what nobody serves any more goes. */
  function put(apiId: string, stage: ApiStage): void {
    repository.putPart(apiId, 'stage', stage)
    if (stage.autoDeploy && stage.deploymentId === undefined) drafts.deploy(apiId)
    else repository.removeUnusedDeployments(apiId)
  }

  const change = (apiId: string, name: string, work: (before: ApiStage) => ApiStage): ApiStage =>
    exclusively(() => {
      put(apiId, work(drafts.part(apiId, 'stage', name)))
      return drafts.part(apiId, 'stage', name)
    })

  return {
    put,
    create: (apiId, input, isManaged) =>
      exclusively(() => {
        const { protocol } = drafts.get(apiId)
        const { stageName: name, tags = {}, ...settings } = input
        if (!STAGE_NAME.test(name) && !(name === '$default' && protocol === 'HTTP')) {
          const or = protocol === 'HTTP' ? ', or $default' : ''
          throw badRequest(`Stage name only allows a-zA-Z0-9_-${or}: ${name} is not one.`, 'stageName')
        }
        if (repository.findPart(apiId, 'stage', name) !== undefined) {
          throw conflict(`Stage with name ${name} already exists for this API`)
        }
        drafts.requireRoom(apiId, 'stage')
        checkTags(tags)
        const at = now().getTime()
        const empty = { name, autoDeploy: false, variables: {}, throttle: {}, routeThrottles: {}, settings: {} }
        put(apiId, made(apiId, { ...empty, tags, isManaged, createdAt: at, modifiedAt: at }, settings))
        return drafts.part(apiId, 'stage', name)
      }),
    update: (apiId, name, wanted) =>
      change(apiId, name, (before) => {
        const stage = made(apiId, before, wanted)
        // What it served until now was chosen by hand.
        return stage.autoDeploy && !before.autoDeploy ? { ...stage, deploymentId: undefined } : stage
      }),
    remove: (apiId, name) => {
      exclusively(() => {
        const { isManaged } = drafts.part(apiId, 'stage', name)
        if (isManaged === true) throw badRequest(`Stage ${name} is managed by API Gateway and cannot be deleted.`)
        if (repository.countMappings(apiId, name) > 0) {
          throw badRequest(`Stage ${name} cannot be deleted while API mappings of custom domains lead to it.`)
        }
        repository.removePart(apiId, 'stage', name)
        repository.removeUnusedDeployments(apiId)
      })
    },
    removeRouteSettings: (apiId, name, routeKey) => {
      change(apiId, name, (before) => {
        const settings = before.settings as StageSettings
        const { [routeKey]: gone, ...routeSettings } = settings.routeSettings ?? {}
        const { [routeKey]: _, ...routeThrottles } = before.routeThrottles
        if (gone === undefined) throw notFound(`Unable to find RouteSettings by key ${routeKey} within the stage`)
        return { ...before, routeThrottles, settings: { ...settings, routeSettings }, modifiedAt: now().getTime() }
      })
    },
    removeAccessLogSettings: (apiId, name) => {
      change(apiId, name, (before) => ({
        ...before,
        settings: { ...before.settings, accessLogSettings: undefined },
        modifiedAt: now().getTime()
      }))
    }
  }
}

type Route = z.output<typeof RouteSettings>

interface StageSettings {
  readonly defaultRouteSettings?: Route
  readonly routeSettings?: Readonly<Record<string, Route>>
  readonly accessLogSettings?: unknown
}

export function stageView(stage: ApiStage): object {
  const { defaultRouteSettings = {}, routeSettings = {}, accessLogSettings } = stage.settings as StageSettings
  return {
    ...(stage.isManaged === true ? { apiGatewayManaged: true } : {}),
    accessLogSettings,
    autoDeploy: stage.autoDeploy,
    createdDate: isoSeconds(stage.createdAt),
    defaultRouteSettings: { detailedMetricsEnabled: false, ...defaultRouteSettings },
    deploymentId: stage.deploymentId,
    description: stage.description,
    ...(stage.autoDeploy && stage.deploymentId !== undefined
      ? { lastDeploymentStatusMessage: `Successfully deployed stage with deployment ID '${stage.deploymentId}'` }
      : {}),
    lastUpdatedDate: isoSeconds(stage.modifiedAt),
    routeSettings,
    stageName: stage.name,
    stageVariables: stage.variables,
    tags: stage.tags
  }
}

function throttleOf({ throttlingRateLimit: rate, throttlingBurstLimit: burst }: Route): RouteThrottle {
  return { rate, burst }
}

function variablesOf(
  before: Readonly<Record<string, string>>,
  change: Readonly<Record<string, string>> = {}
): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(change)) {
    if (!VARIABLE.test(name))
      throw badRequest(`Invalid stage variable name ${name}: a-zA-Z0-9_ are allowed.`, 'stageVariables')
    if (!VALUE.test(value)) throw badRequest(`Invalid value of stage variable ${name}.`, 'stageVariables')
  }
  return Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value !== ''))
}

function defined<T extends object>(settings: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(settings ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>
}
