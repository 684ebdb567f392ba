import type { ArnScope } from './arn.ts'

/** What a request must have: all of it. Of several values one is enough. */
export interface LoadBalancerConditions {
  /** With `*` and `?`, in any case. */
  readonly hosts?: readonly string[] | undefined
  /** With `*` and `?`; the path as it was sent, without its query. */
  readonly paths?: readonly string[] | undefined
  /** By name in lower case; values with `*` and `?`, in any case. */
  readonly headers?: Readonly<Record<string, readonly string[]>> | undefined
  readonly methods?: readonly string[] | undefined
  /** With `*` and `?`, in any case; without a key any parameter will do. */
  readonly query?: readonly { readonly key?: string | undefined; readonly value: string }[] | undefined
  /** Networks; the address of who is connected, not what a header says. */
  readonly sourceIps?: readonly string[] | undefined
}

export interface FixedResponse {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** Each with `#{protocol}`, `#{host}`, `#{port}`, `#{path}`, `#{query}`, which stand for what the request has. */
export interface Redirect {
  readonly status: 301 | 302
  readonly protocol: string
  readonly host: string
  readonly port: string
  readonly path: string
  readonly query: string
}

export type LoadBalancerAction =
  | { readonly functionArn: string }
  | { readonly fixedResponse: FixedResponse }
  | { readonly redirect: Redirect }

export interface LoadBalancerRule {
  /** 1 to 50,000; the lowest is asked first. */
  readonly priority: number
  readonly conditions: LoadBalancerConditions
  readonly action: LoadBalancerAction
}

export interface TargetHealthCheck {
  readonly path: string
  /** Seconds: 5 to 300, 2 to 120. */
  readonly intervalSeconds: number
  readonly timeoutSeconds: number
  /** Checks in a row: 2 to 10. */
  readonly healthyThreshold: number
  readonly unhealthyThreshold: number
  /** `200`, `200,202`, `200-299`. */
  readonly matcher: string
}

/** All that the owner of a load balancer says. */
export interface LoadBalancerSettings {
  /** Where requests go that no rule wants. */
  readonly functionArn: string
  readonly multiValueHeaders: boolean
  readonly rules: readonly LoadBalancerRule[]
  readonly healthCheck?: TargetHealthCheck | undefined
  /** Hosts of its own, as in DNS. */
  readonly domains: readonly string[]
  readonly description?: string | undefined
}

/** Functions behind rules, called as an Application Load Balancer calls its targets. */
export interface LoadBalancer extends LoadBalancerSettings {
  readonly name: string
  /** 16 hex digits. */
  readonly id: string
  readonly isEnabled: boolean
  /** Unix times in ms. */
  readonly createdAt: number
  readonly modifiedAt: number
}

/** The service that starts functions for load balancers. */
export const LOAD_BALANCER_SERVICE = 'elasticloadbalancing.amazonaws.com'

/** Source: quotas of Application Load Balancers. */
export const LOAD_BALANCER_LIMITS = { bodyBytes: 1_048_576, rules: 100, valuesPerRule: 5, wildcardsPerRule: 5 } as const

/** What events name, and functions let in: the same for all functions of a load balancer. */
export function targetGroupArn({ region, accountId }: ArnScope, name: string, id: string): string {
  return `arn:aws:elasticloadbalancing:${region}:${accountId}:targetgroup/${name}/${id}`
}

/** Of the trigger itself. */
export function loadBalancerArn({ region, accountId }: ArnScope, name: string): string {
  return `arn:aws:hearth:${region}:${accountId}:load-balancer/${name}`
}

/** @returns undefined when the text is no matcher */
export function parseStatusMatcher(text: string): ((status: number) => boolean) | undefined {
  const parts = text.split(',').map((part) => /^([2-4]\d\d)(?:-([2-4]\d\d))?$/.exec(part.trim()))
  const ranges = parts.map((found) => (found === null ? undefined : [Number(found[1]), Number(found[2] ?? found[1])]))
  if (ranges.some((range) => range === undefined || range[0]! > range[1]!)) return undefined
  return (status) => ranges.some((range) => status >= range![0]! && status <= range![1]!)
}

/** Functions that requests may go to, each once; the default first. */
export function functionsOf({ functionArn, rules }: LoadBalancerSettings): readonly string[] {
  return [
    ...new Set([functionArn, ...rules.flatMap(({ action }) => ('functionArn' in action ? [action.functionArn] : []))])
  ]
}
