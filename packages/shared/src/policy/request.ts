/** Who asks, as policies see them. */
export interface PolicyCaller {
  readonly type: 'root' | 'user' | 'session' | 'service' | 'anonymous'
  /** `arn:aws:iam::…:user/…`, `arn:aws:sts::…:assumed-role/ROLE/SESSION`, …; empty for anonymous callers and services. */
  readonly arn: string
  /** Empty for anonymous callers and services. */
  readonly accountId: string
  /** Of a session: its role's ARN, with path. */
  readonly roleArn?: string
  /** Of a service: `s3.amazonaws.com`. */
  readonly service?: string
}

/**
 * A condition key's values, by its name in lower case; undefined when the request has none. A function, so that values
 * that no policy asks for are never made.
 */
export type ContextKeys = (name: string) => string | readonly string[] | undefined

/** What is decided about. */
export interface PolicyRequest {
  readonly caller: PolicyCaller
  /** `lambda:InvokeFunction`. */
  readonly action: string
  /** An ARN, or `*` for an action that has no resource. */
  readonly resource: string
  /** Of the resource; the caller's own when the action has none. */
  readonly resourceAccount: string
  readonly keys: ContextKeys
}

const NONE: readonly string[] = []

/** @returns an empty list when the key is absent */
export function valuesOf(keys: ContextKeys, name: string): readonly string[] {
  const value = keys(name)
  if (value === undefined) return NONE
  return typeof value === 'string' ? [value] : value
}

/** Keys from a record; names in any case. */
export function contextKeys(values: Readonly<Record<string, string | readonly string[]>>): ContextKeys {
  const map = new Map(Object.entries(values).map(([name, value]) => [name.toLowerCase(), value]))
  return (name) => map.get(name)
}
