/** A filter pattern, read once. */
export interface LogFilter {
  matches(message: string): boolean
  /** For who wants values of the message too. @returns undefined when it does not match */
  match(message: string): LogMatch | undefined
}

/** A message that a pattern matches. */
export interface LogMatch {
  /**
   * @param reference - `$.latency` of a JSON pattern, `$bytes` of a space-delimited one
   * @returns its text; undefined when it is not there, or no single value
   */
  valueOf(reference: string): string | undefined
  /** The values that the pattern names, by reference. */
  values(): Readonly<Record<string, string>>
}
