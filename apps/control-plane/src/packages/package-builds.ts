import { assess, type Builder, type BuildResult, languageOfBuildFiles } from '@hearth/builder'
import type { Language } from '@hearth/executor/runtimes'
import { HearthError } from '@hearth/shared'
import type { Runtimes } from '../functions/runtimes.ts'
import type { Metrics } from '../metrics.ts'
import type { UnpackedPackage } from './package-store.ts'

export interface BuildWish {
  readonly functionName: string
  readonly demand: 'true' | 'false' | 'fresh' | undefined
  /** As named for this deploy or by the function that is there. */
  readonly runtime: string | undefined
  readonly handler: string | undefined
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal
}

export interface PackageBuild {
  /** Undefined: the package was left as it is. */
  readonly result: BuildResult | undefined
  readonly notices: readonly string[]
  /** What the build tells of a new function whose owner said nothing. */
  readonly runtime: string | undefined
  readonly handler: string | undefined
}

const NOTHING: PackageBuild = { result: undefined, notices: [], runtime: undefined, handler: undefined }

/**
 * Builds a package if it needs that, and if that is wanted and allowed.
 *
 * @param builder - Undefined: the operator has not allowed builds
 * @param builds - Counts what came of those that were begun
 * @throws HearthError BUILDS_OFF, BUILD_FAILED, BUILD_UNAVAILABLE, SANDBOX_UNAVAILABLE, CAPACITY_EXHAUSTED, INVALID_PACKAGE
 */
export async function buildPackage(
  builder: Builder | undefined,
  runtimes: Runtimes,
  code: UnpackedPackage,
  wish: BuildWish,
  builds: Metrics['builds']
): Promise<PackageBuild> {
  if (wish.demand === 'false') return NOTHING
  const isDemanded = wish.demand !== undefined
  if (isDemanded && builder === undefined) {
    throw new HearthError(
      'BUILDS_OFF',
      'Builds are off on this server: its operator allows them with HEARTH_BUILDS=on. With build=false the package is deployed as it is.'
    )
  }
  const language = languageOf(runtimes, code, wish.runtime)
  if (language === undefined) return isDemanded ? nothingToBuild() : NOTHING
  const { plan, obstacle, notices = [] } = await assess(language.name, wish.handler, code)
  if (isDemanded && obstacle !== undefined) throw new HearthError('INVALID_PACKAGE', obstacle)
  if (plan === undefined) {
    if (isDemanded) return nothingToBuild()
    return obstacle === undefined ? NOTHING : { ...NOTHING, notices: [`${obstacle} It was deployed as it is.`] }
  }
  const what = [
    ...(plan.install === undefined ? [] : ['its dependencies are to be installed']),
    ...(plan.typescript === undefined ? [] : ['its TypeScript is to be translated'])
  ].join(' and ')
  if (builder === undefined) {
    return {
      ...NOTHING,
      notices: [
        `The package was deployed as it is, though ${what}: builds are off on this server. HEARTH_BUILDS=on allows them.`
      ]
    }
  }
  const runtime = wish.runtime ?? runtimes.identifierFor(language)
  const interpreter = language.serve(runtime, plan.handler ?? language.defaultHandler)?.interpreter
  if (interpreter === undefined) {
    throw new HearthError(
      'UNSUPPORTED_RUNTIME',
      `This server has nothing that runs ${runtime}: ${language.remedy(runtime)}.`
    )
  }
  const { command, mounts } = interpreter.boot(MEMORY_MIB)
  const result = await builder
    .build(
      {
        functionName: wish.functionName,
        code,
        plan,
        interpreter: { version: interpreter.version, command: command[0] ?? '', mounts },
        fresh: wish.demand === 'fresh'
      },
      wish.signal
    )
    .catch((thrown: unknown) => {
      builds.inc({
        outcome: thrown instanceof HearthError && thrown.code === 'BUILD_FAILED' ? 'failed' : 'unavailable'
      })
      throw thrown
    })
  builds.inc({ outcome: result.cached === true ? 'kept' : 'built' })
  return {
    result,
    notices: obstacle === undefined ? notices : [obstacle, ...notices],
    runtime: runtimes.identifierFor(language),
    handler: plan.handler
  }
}

/** Only the interpreter's place is asked for here. */
const MEMORY_MIB = 128

function languageOf(runtimes: Runtimes, code: UnpackedPackage, runtime: string | undefined): Language | undefined {
  if (runtime !== undefined) return runtimes.languageOf(runtime)
  const guessed = runtimes.languages.find((language) => language.guess(code) !== undefined)
  const name = guessed?.name ?? languageOfBuildFiles(code)
  return runtimes.languages.find((language) => language.name === name)
}

function nothingToBuild(): PackageBuild {
  return { ...NOTHING, notices: ['There was nothing to build: the package is deployed as it is.'] }
}
