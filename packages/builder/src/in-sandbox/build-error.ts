/** Why a build cannot go on; the message is for the deployer. */
export class BuildError extends Error {
  override readonly name = 'BuildError'
  /** What this machine lacks, if that is the reason. */
  readonly missing: string | undefined
  readonly code: 'TooLarge' | undefined

  constructor(message: string, options: { readonly missing?: string; readonly code?: 'TooLarge' } = {}) {
    super(message)
    this.missing = options.missing
    this.code = options.code
  }
}
