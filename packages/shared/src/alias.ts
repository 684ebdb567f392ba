/** Alias names. Source: Lambda service model, type Alias. */
export const ALIAS_NAME = /^(?:(?!^[0-9]+$)([a-zA-Z0-9-_]+))$/

/** A name for a version, or for a split of calls between two. */
export interface AliasRecord {
  /** Bare name of the function. */
  readonly functionName: string
  readonly name: string
  /** A published number as text, or `$LATEST`. */
  readonly version: string
  /** Share of calls, 0 to 1, by further version; the rest goes to `version`. At most one. */
  readonly weights: Readonly<Record<string, number>>
  readonly description: string
  /** UUID, new on every change. */
  readonly revisionId: string
  /** The version that it pointed to before this one; undefined: it never pointed elsewhere. */
  readonly previousVersion: string | undefined
}
