import type { Language, RuntimeRegistry } from '@hearth/executor/runtimes'
import { HearthError } from '@hearth/shared'

/** What AWS lets one create functions with that no language here knows. Source: Lambda service model, type Runtime. */
const ELSEWHERE: readonly string[] = [
  'nodejs26.x',
  'python3.15',
  'java8.al2023',
  'java11.al2023',
  'java17.al2023',
  'ruby4.0'
]

const DEPRECATED: readonly string[] = [
  'nodejs',
  'nodejs4.3',
  'nodejs4.3-edge',
  'nodejs6.10',
  'nodejs8.10',
  'nodejs10.x',
  'nodejs12.x',
  'nodejs14.x',
  'nodejs16.x',
  'nodejs18.x',
  'java8',
  'python2.7',
  'python3.6',
  'python3.7',
  'python3.8',
  'dotnetcore1.0',
  'dotnetcore2.0',
  'dotnetcore2.1',
  'dotnetcore3.1',
  'go1.x',
  'ruby2.5',
  'ruby2.7',
  'provided'
]

/** What the deploy side asks of runtimes: which there are, and whether a function fits its own. */
export interface Runtimes {
  /** Every identifier that AWS knows, whether or not it can be run here: layers may name any. */
  readonly known: readonly string[]
  /** The runtime of functions that name none. */
  readonly default: string
  readonly languages: readonly Language[]
  /** The identifier to use for a language that was told from the code: exact before near, newest first. */
  identifierFor(language: Language): string
  languageOf(runtime: string): Language | undefined
  /**
   * @returns what the caller ought to know about the choice, or undefined
   * @throws HearthError INVALID_REQUEST for what no Lambda has, UNSUPPORTED_RUNTIME for what this server can't run
   */
  check(runtime: string): string | undefined
  /** @throws HearthError INVALID_HANDLER when a handler has not the form that its runtime wants */
  checkHandler(runtime: string, handler: string): void
  /** @throws HearthError UNSUPPORTED_FEATURE when instances cannot be as wanted in this runtime */
  checkInstances(runtime: string, handler: string, concurrency: number, instances: string | undefined): void
}

export function createRuntimes(registry: RuntimeRegistry): Runtimes {
  const infos = registry.list()
  const byId = new Map(infos.map((info) => [info.runtime, info]))
  const known = [...infos.map(({ runtime }) => runtime), ...ELSEWHERE]

  const identifierFor = (language: Language): string => {
    const own = infos.filter((info) => info.language === language.name)
    const found = own.findLast(({ exact }) => exact) ?? own.findLast(({ interpreter }) => interpreter !== undefined)
    return found?.runtime ?? own.at(-1)?.runtime ?? ''
  }

  return {
    known: [...known, ...DEPRECATED],
    default: identifierFor(registry.languages[0]!),
    languages: registry.languages,
    identifierFor,
    languageOf: (runtime) => registry.languageOf(runtime),

    check(runtime) {
      const info = byId.get(runtime)
      if (info?.interpreter !== undefined) {
        return info.exact ? undefined : `${runtime} is served by ${info.interpreter}, which is another version.`
      }
      if (info !== undefined) {
        throw new HearthError(
          'UNSUPPORTED_RUNTIME',
          `This server has nothing that runs ${runtime}: ${info.remedy ?? ''}.`
        )
      }
      if (DEPRECATED.includes(runtime)) {
        throw new HearthError(
          'UNSUPPORTED_RUNTIME',
          `The runtime parameter of ${runtime} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.`
        )
      }
      if (ELSEWHERE.includes(runtime)) {
        const available = infos.filter(({ interpreter }) => interpreter !== undefined).map((item) => item.runtime)
        const message = `Hearth has no runtime for ${runtime}. This server runs: ${available.join(', ')}.`
        throw new HearthError('UNSUPPORTED_RUNTIME', message)
      }
      throw new HearthError(
        'INVALID_REQUEST',
        `Value ${runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${known.join(', ')}] or be a valid ARN`
      )
    },

    checkHandler(runtime, handler) {
      const problem = registry.languageOf(runtime)?.handlerProblem(handler, runtime)
      if (problem !== undefined) throw new HearthError('INVALID_HANDLER', problem)
    },

    checkInstances(runtime, handler, concurrency, instances) {
      if (concurrency === 1 && instances !== 'threads') return
      const resolved = registry.resolve(runtime, handler)
      if (resolved === undefined || resolved.concurrent === true) return
      const message = `Instances of ${runtime} serve one event at a time: concurrency and instances=threads are for Node.js.`
      throw new HearthError('UNSUPPORTED_FEATURE', message)
    }
  }
}
