import { randomBytes } from 'node:crypto'
import { type ArnScope, type Destination, type EventInvokeConfig, functionArn, HearthError } from '@hearth/shared'
import { type EventInvokeRepository, type FunctionsRepository, LATEST } from '@hearth/store'
import type { CheckDestination } from '../destinations/check-destination.ts'

/** Where an outcome is to go. */
export interface DestinationWish {
  /** An ARN, or the URL of a webhook. */
  readonly target: string
  /** Of a webhook. Absent: the one it had, else a new one. */
  readonly secret?: string | undefined
}

/** What of a config its owner chooses. A member that is undefined goes back to the default. */
export interface EventInvokeSettings {
  readonly maxRetries: number | undefined
  readonly maxAgeS: number | undefined
  readonly onSuccess: DestinationWish | undefined
  readonly onFailure: DestinationWish | undefined
}

export interface EventInvokeServiceDeps {
  readonly configs: EventInvokeRepository
  readonly functions: Pick<FunctionsRepository, 'exclusively'>
  /** ARN of the execution role of a function, version, or what an alias names; undefined: there is no such thing. */
  readonly roleOf: (functionName: string, qualifier: string | undefined) => string | undefined
  readonly checkDestination: CheckDestination
  readonly scope: ArnScope
  readonly now: () => Date
}

/** How events are tried again and where their outcome goes: the use cases behind both API dialects. */
export interface EventInvokeService {
  /** @throws HearthError EVENT_CONFIG_NOT_FOUND */
  get(functionName: string, qualifier: string | undefined): EventInvokeConfig
  /** Replaces all. @throws HearthError FUNCTION_NOT_FOUND, INVALID_REQUEST, UNSUPPORTED_FEATURE */
  put(functionName: string, qualifier: string | undefined, settings: EventInvokeSettings): EventInvokeWritten
  /** What is not named stays. @throws HearthError as {@link put}, EVENT_CONFIG_NOT_FOUND */
  change(functionName: string, qualifier: string | undefined, change: Partial<EventInvokeSettings>): EventInvokeWritten
  /** @throws HearthError EVENT_CONFIG_NOT_FOUND */
  remove(functionName: string, qualifier: string | undefined): void
  /** By qualifier. @throws HearthError FUNCTION_NOT_FOUND */
  list(functionName: string, after: string, limit: number): readonly EventInvokeConfig[]
}

export interface EventInvokeWritten {
  readonly config: EventInvokeConfig
  readonly created: boolean
  /** Webhooks that were given a new secret, which nobody has been told yet. */
  readonly newSecrets: readonly ('onSuccess' | 'onFailure')[]
}

const SECRET_BYTES = 32

/** @see reference: Lambda control API §9 */
export function createEventInvokeService(deps: EventInvokeServiceDeps): EventInvokeService {
  const { configs, functions, roleOf, checkDestination, scope, now } = deps

  const notFound = (name: string, qualifier: string): HearthError => {
    const message = `The function ${functionArn(scope, name, qualifier)} doesn't have an EventInvokeConfig`
    return new HearthError('EVENT_CONFIG_NOT_FOUND', message)
  }
  const requireFunction = (name: string, qualifier: string | undefined): string => {
    const role = roleOf(name, qualifier)
    if (role !== undefined) return role
    throw new HearthError('FUNCTION_NOT_FOUND', `Function not found: ${functionArn(scope, name, qualifier)}`, {
      awsMessage: "The function doesn't exist."
    })
  }
  const write = (
    functionName: string,
    qualifier: string,
    decide: (current: EventInvokeConfig | undefined) => EventInvokeSettings
  ): EventInvokeWritten =>
    functions.exclusively(() => {
      const role = requireFunction(functionName, qualifier)
      const current = configs.find(functionName, qualifier)
      const settings = decide(current)
      for (const purpose of ['OnSuccess', 'OnFailure'] as const) {
        const target = (purpose === 'OnSuccess' ? settings.onSuccess : settings.onFailure)?.target
        if (target !== undefined) checkDestination(target, { functionName, role, purpose })
      }
      const newSecrets: ('onSuccess' | 'onFailure')[] = []
      const destination = (member: 'onSuccess' | 'onFailure'): Destination | undefined => {
        const wish = settings[member]
        if (wish === undefined || wish.target.startsWith('arn:'))
          return wish && { target: wish.target, secret: undefined }
        const before = current?.[member]
        const secret = wish.secret ?? (before?.target === wish.target ? before.secret : undefined)
        if (secret === undefined) newSecrets.push(member)
        return { target: wish.target, secret: secret ?? newSecret() }
      }
      const config = {
        functionName,
        qualifier,
        maxRetries: settings.maxRetries,
        maxAgeS: settings.maxAgeS,
        onSuccess: destination('onSuccess'),
        onFailure: destination('onFailure'),
        lastModified: now().toISOString()
      }
      configs.put(config)
      return { config, created: current === undefined, newSecrets }
    })

  return {
    get(name, qualifier = LATEST) {
      const config = configs.find(name, qualifier)
      if (config === undefined) throw notFound(name, qualifier)
      return config
    },
    put: (name, qualifier = LATEST, settings) => write(name, qualifier, () => settings),
    change: (name, qualifier = LATEST, change) =>
      write(name, qualifier, (current) => {
        if (current === undefined) throw notFound(name, qualifier)
        return { ...current, ...change }
      }),
    remove(name, qualifier = LATEST) {
      if (!configs.remove(name, qualifier)) throw notFound(name, qualifier)
    },
    list(name, after, limit) {
      requireFunction(name, undefined)
      return configs.list(name, after, limit)
    }
  }
}

function newSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`
}
