/** What sends something to a destination. */
export interface DestinationUse {
  /** Name of the function whose events they are. */
  readonly functionName: string
  /** ARN of its execution role: what is sent is sent as that role. Undefined: as somebody who is asked when it is sent. */
  readonly role: string | undefined
  /** Dead letters are events as they were; the others are records of what became of one. */
  readonly purpose: 'OnSuccess' | 'OnFailure' | 'DeadLetter'
}

/** One kind of place where the outcome of an event can go: what of it is checked before it is kept. A file each. */
export interface DestinationKind {
  /** @param target - An ARN, or the URL of a webhook */
  matches(target: string): boolean
  /** @throws HearthError when nothing could be sent there */
  check(target: string, use: DestinationUse): void
}
