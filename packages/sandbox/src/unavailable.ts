import type { Feature } from './types.ts'

/** This machine cannot enforce what the configured isolation requires. */
export class SandboxUnavailableError extends Error {
  override readonly name = 'SandboxUnavailableError'
  /** The required features that are missing. */
  readonly missing: readonly Feature[]

  constructor(missing: readonly Feature[]) {
    const lines = missing.map(
      ({ feature, how, remedy }) => `  ${feature}: ${how}${remedy === undefined ? '' : ` - ${remedy}`}`
    )
    super(`this machine cannot isolate functions as configured:\n${lines.join('\n')}`)
    this.missing = missing
  }
}
