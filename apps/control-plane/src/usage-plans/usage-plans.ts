import { createHash, randomBytes } from 'node:crypto'
import { API_ID, type Api, type ApiKey, HearthError, type PlanStage, type UsagePlan } from '@hearth/shared'
import type { ApisRepository, UsagePlansRepository } from '@hearth/store'
import { randomId } from '../random-id.ts'

export interface UsagePlansDeps {
  readonly repository: UsagePlansRepository
  readonly apis: Pick<ApisRepository, 'find' | 'findTrigger' | 'findPart' | 'listParts'>
  readonly now: () => Date
  /** Runs several steps, all or nothing. */
  readonly exclusively: <T>(work: () => T) => T
}

/** What of a key its owner says; what is not said is as for a new one. */
export interface KeySettings {
  /** 20 to 128 characters; undefined: the old one stays, or one is made. */
  readonly value: string | undefined
  readonly isEnabled: boolean
  readonly description: string | undefined
  readonly tags: Readonly<Record<string, string>>
}

export interface PlanSettings extends Pick<UsagePlan, 'throttle' | 'quota' | 'description' | 'tags'> {
  /** An API by its id or its name in /v1/triggers; a stage that is not said is the only one. */
  readonly stages: readonly { readonly api: string; readonly stage: string | undefined }[]
  /** Names. */
  readonly keys: readonly string[]
}

/** API keys and usage plans by their names. */
export interface UsagePlans {
  findKey(name: string): ApiKey | undefined
  /** @throws HearthError RESOURCE_NOT_FOUND */
  getKey(name: string): ApiKey
  /** @returns the value where one was made: it is not known afterwards. @throws HearthError RESOURCE_EXISTS, LIMIT_EXCEEDED */
  putKey(
    name: string,
    settings: KeySettings
  ): { readonly key: ApiKey; readonly created: boolean; readonly made: string | undefined }
  /** It leaves its plans. @throws HearthError RESOURCE_NOT_FOUND */
  deleteKey(name: string): void
  listKeys(after: string, limit: number): readonly ApiKey[]
  plansOf(key: ApiKey): readonly UsagePlan[]
  findPlan(name: string): UsagePlan | undefined
  /** @throws HearthError RESOURCE_NOT_FOUND */
  getPlan(name: string): UsagePlan
  /** @throws HearthError INVALID_REQUEST, RESOURCE_IN_USE, LIMIT_EXCEEDED */
  putPlan(name: string, settings: PlanSettings): { readonly plan: UsagePlan; readonly created: boolean }
  /** Its keys stay. @throws HearthError RESOURCE_NOT_FOUND */
  deletePlan(name: string): void
  listPlans(after: string, limit: number): readonly UsagePlan[]
  keysOf(plan: UsagePlan): readonly ApiKey[]
}

/** As AWS has by default. */
const MAX_KEYS = 10_000
const MAX_PLANS = 300
const MAX_PLAN_KEYS = 10_000
const KEY_ID_CHARS = 10
const PLAN_ID_CHARS = 6

export function createUsagePlans({ repository, apis, now, exclusively }: UsagePlansDeps): UsagePlans {
  const getKey = (name: string): ApiKey => {
    const key = repository.findKeyByName(name)
    if (key === undefined) throw new HearthError('RESOURCE_NOT_FOUND', `There is no API key ${name}.`)
    return key
  }
  const getPlan = (name: string): UsagePlan => {
    const plan = repository.findPlanByName(name)
    if (plan === undefined) throw new HearthError('RESOURCE_NOT_FOUND', `There is no usage plan ${name}.`)
    return plan
  }

  const apiOf = (reference: string): Api | undefined =>
    (API_ID.test(reference) ? apis.find(reference) : undefined) ??
    apis.findTrigger('HTTP', reference) ??
    apis.findTrigger('WEBSOCKET', reference)

  const stageOf = ({ api: reference, stage }: PlanSettings['stages'][number], path: string): PlanStage => {
    const api = apiOf(reference)
    if (api === undefined) throw wrong(path, `there is no API ${reference}`)
    if (stage !== undefined) {
      if (apis.findPart(api.id, 'stage', stage) === undefined)
        throw wrong(path, `there is no stage ${stage} of ${reference}`)
      return { apiId: api.id, stage }
    }
    const [only, another] = apis.listParts(api.id, 'stage', '', 2)
    if (only === undefined || another !== undefined) throw wrong(path, `say which stage of ${reference}`)
    return { apiId: api.id, stage: only.name }
  }

  /** A key must mean one plan wherever it is sent. */
  const refuseOverlap = (plan: UsagePlan, key: ApiKey): void => {
    const taken = repository
      .plansOf(key.id)
      .find((other) => other.id !== plan.id && other.stages.some((one) => plan.stages.some((own) => isSame(one, own))))
    if (taken === undefined) return
    throw new HearthError(
      'RESOURCE_IN_USE',
      `The API key ${key.name} belongs to the plan ${taken.name}, which has one of these stages too.`
    )
  }

  return {
    findKey: (name) => repository.findKeyByName(name),
    getKey,
    putKey: (name, { value, isEnabled, description, tags }) =>
      exclusively(() => {
        const before = repository.findKeyByName(name)
        const at = now().getTime()
        const owner = value === undefined ? undefined : repository.ownerOf(hashOf(value))
        if (owner !== undefined && owner !== before?.id) {
          throw new HearthError('RESOURCE_EXISTS', 'Another API key has this value.')
        }
        if (before !== undefined) {
          if (value !== undefined && owner === undefined) {
            throw wrong('body.value', 'the value of a key does not change: make another key')
          }
          const key = { ...before, isEnabled, description, tags, modifiedAt: at }
          repository.changeKey(key)
          return { key, created: false, made: undefined }
        }
        if (repository.countKeys() >= MAX_KEYS) {
          throw new HearthError('LIMIT_EXCEEDED', `There may be ${MAX_KEYS} API keys.`)
        }
        const made = value === undefined ? randomBytes(30).toString('base64url') : undefined
        const key = { id: randomId(KEY_ID_CHARS), name, description, isEnabled, tags, createdAt: at, modifiedAt: at }
        repository.addKey(key, hashOf(value ?? made!))
        return { key, created: true, made }
      }),
    deleteKey(name) {
      exclusively(() => repository.removeKey(getKey(name).id))
    },
    listKeys: (after, limit) => repository.listKeys(after, limit),
    plansOf: ({ id }) => repository.plansOf(id),
    findPlan: (name) => repository.findPlanByName(name),
    getPlan,
    putPlan: (name, { stages, keys: names, ...settings }) =>
      exclusively(() => {
        const before = repository.findPlanByName(name)
        if (before === undefined && repository.countPlans() >= MAX_PLANS) {
          throw new HearthError('LIMIT_EXCEEDED', `There may be ${MAX_PLANS} usage plans.`)
        }
        const at = now().getTime()
        const found = stages.map((stage, i) => stageOf(stage, `body.stages[${i}]`))
        const plan: UsagePlan = {
          ...settings,
          id: before?.id ?? randomId(PLAN_ID_CHARS),
          name,
          stages: found.filter((stage, i) => found.findIndex((other) => isSame(stage, other)) === i),
          createdAt: before?.createdAt ?? at,
          modifiedAt: at
        }
        const keys = [...new Set(names)].map((keyName, i) => {
          const key = repository.findKeyByName(keyName)
          if (key === undefined) throw wrong(`body.keys[${i}]`, `there is no API key ${keyName}`)
          refuseOverlap(plan, key)
          return key
        })
        repository.putPlan(plan)
        const wanted = new Set(keys.map(({ id }) => id))
        for (const { id } of repository.listPlanKeys(plan.id, '', MAX_PLAN_KEYS)) {
          if (!wanted.has(id)) repository.removeFromPlan(plan.id, id)
        }
        for (const id of wanted) repository.addToPlan(plan.id, id)
        return { plan, created: before === undefined }
      }),
    deletePlan(name) {
      exclusively(() => repository.removePlan(getPlan(name).id))
    },
    listPlans: (after, limit) => repository.listPlans(after, limit),
    keysOf: ({ id }) => repository.listPlanKeys(id, '', MAX_PLAN_KEYS)
  }
}

function isSame(a: PlanStage, b: PlanStage): boolean {
  return a.apiId === b.apiId && a.stage === b.stage
}

/** All that is kept of a value: whoever has the database cannot call with it. */
function hashOf(value: string): string {
  return createHash('sha256').update(value).digest('hex')
}

function wrong(path: string, message: string): HearthError {
  return new HearthError('INVALID_REQUEST', `${path}: ${message}`, { errors: [{ path, message }] })
}
