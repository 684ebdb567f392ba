import {
  HearthError,
  isNetwork,
  LOAD_BALANCER_LIMITS,
  type LoadBalancerConditions,
  parseStatusMatcher,
  type Redirect
} from '@hearth/shared'
import { z } from 'zod'

const FunctionRef = z.string().min(1).max(200)
const Text = z.string().min(1).max(128)
const Values = z.array(Text).min(1).max(LOAD_BALANCER_LIMITS.valuesPerRule)
/** Anything else would be another part of the URL, or of the head of the answer. */
const Part = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\x21-\x7e]+$/)

const Conditions = z.strictObject({
  hosts: Values.optional(),
  paths: Values.optional(),
  headers: z
    .record(
      z
        .string()
        .min(1)
        .max(40)
        .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/),
      Values
    )
    .optional()
    .meta({ description: 'By name; of several names all must be there' }),
  methods: z
    .array(z.string().regex(/^[A-Z_-]{1,40}$/))
    .min(1)
    .max(LOAD_BALANCER_LIMITS.valuesPerRule)
    .optional(),
  query: z
    .array(z.strictObject({ key: Text.optional(), value: Text }))
    .min(1)
    .max(LOAD_BALANCER_LIMITS.valuesPerRule)
    .optional(),
  sourceIps: z.array(z.string().max(49)).min(1).max(LOAD_BALANCER_LIMITS.valuesPerRule).optional()
})

const Rule = z.strictObject({
  priority: z.int().min(1).max(50_000).meta({ description: 'The lowest is asked first; each may be there once' }),
  conditions: Conditions,
  function: FunctionRef.optional(),
  fixedResponse: z
    .strictObject({
      status: z.int().min(200).max(599),
      contentType: z
        .enum(['text/plain', 'text/css', 'text/html', 'application/javascript', 'application/json'])
        .optional(),
      body: z.string().max(1_024).optional()
    })
    .optional(),
  redirect: z
    .strictObject({
      status: z.literal([301, 302]).optional(),
      protocol: z.enum(['HTTP', 'HTTPS', '#{protocol}']).optional(),
      host: Part.optional(),
      port: z
        .string()
        .regex(/^(?:#\{port\}|\d{1,5})$/)
        .optional(),
      path: Part.regex(/^\//).optional(),
      query: z
        .string()
        .max(128)
        .regex(/^[\x21-\x7e]*$/)
        .optional()
    })
    .optional()
})

export const LoadBalancerBody = z.strictObject({
  function: FunctionRef.meta({ description: 'Where requests go that no rule wants: name, name:qualifier or ARN' }),
  enabled: z.boolean().optional().meta({ description: 'False: 503 for everybody. Default: true' }),
  description: z.string().max(512).nullish(),
  multiValueHeaders: z.boolean().optional().meta({ description: 'Headers and parameters as lists. Default: false' }),
  rules: z.array(Rule).max(LOAD_BALANCER_LIMITS.rules).optional(),
  healthCheck: z
    .strictObject({
      enabled: z.boolean().optional(),
      path: z
        .string()
        .min(1)
        .max(1_024)
        .regex(/^\/[\x21-\x7e]*$/)
        .optional(),
      intervalSeconds: z.int().min(5).max(300).optional(),
      timeoutSeconds: z.int().min(2).max(120).optional(),
      healthyThreshold: z.int().min(2).max(10).optional(),
      unhealthyThreshold: z.int().min(2).max(10).optional(),
      matcher: z.string().min(3).max(128).optional()
    })
    .nullish()
    .meta({ description: 'Calls the functions as clients would. Default: none' }),
  domains: z.array(z.string().min(1).max(253)).max(20).optional().meta({ description: 'Host names that lead here' })
})
export type LoadBalancerBody = z.output<typeof LoadBalancerBody>

export const DEFAULT_CHECK = {
  path: '/',
  intervalSeconds: 35,
  timeoutSeconds: 30,
  healthyThreshold: 5,
  unhealthyThreshold: 2,
  matcher: '200'
} as const

/** As AWS has them: what a target group may be called. */
const TARGET_GROUP_NAME = /^(?!-)[A-Za-z0-9-]{1,32}(?<!-)$/

/** What hangs together. @throws HearthError INVALID_REQUEST */
export function checkLoadBalancer(name: string, body: LoadBalancerBody): void {
  if (!TARGET_GROUP_NAME.test(name)) {
    throw wrong('params.name', 'a load balancer has up to 32 letters, digits and hyphens, none of those at its ends')
  }
  const priorities = new Set<number>()
  for (const [index, rule] of (body.rules ?? []).entries()) {
    const at = `body.rules[${index}]`
    if (priorities.has(rule.priority)) throw wrong(`${at}.priority`, `the priority ${rule.priority} is there twice`)
    priorities.add(rule.priority)
    const actions = [rule.function, rule.fixedResponse, rule.redirect].filter((action) => action !== undefined)
    if (actions.length !== 1) throw wrong(at, 'say one of function, fixedResponse and redirect')
    checkConditions(rule.conditions, `${at}.conditions`)
    const status = rule.fixedResponse?.status
    if (status !== undefined && status >= 300 && status < 400) {
      throw wrong(`${at}.fixedResponse.status`, 'it may be 2xx, 4xx or 5xx')
    }
    if (rule.redirect !== undefined) checkRedirect(rule.redirect, `${at}.redirect`)
  }
  const check = body.healthCheck
  if (check == null) return
  if (
    (check.timeoutSeconds ?? DEFAULT_CHECK.timeoutSeconds) >= (check.intervalSeconds ?? DEFAULT_CHECK.intervalSeconds)
  ) {
    throw wrong('body.healthCheck.timeoutSeconds', 'it must be shorter than the interval')
  }
  if (check.matcher !== undefined && parseStatusMatcher(check.matcher) === undefined) {
    throw wrong('body.healthCheck.matcher', 'status codes such as 200, 200,202 or 200-299')
  }
}

function checkConditions(conditions: LoadBalancerConditions, at: string): void {
  const { hosts = [], paths = [], headers = {}, methods = [], query = [], sourceIps = [] } = conditions
  const wild = [
    ...hosts,
    ...paths,
    ...Object.values(headers).flat(),
    ...query.flatMap(({ key = '', value }) => [key, value])
  ]
  const count =
    hosts.length +
    paths.length +
    Object.values(headers).flat().length +
    methods.length +
    query.length +
    sourceIps.length
  if (count === 0) throw wrong(at, 'say at least one condition')
  if (count > LOAD_BALANCER_LIMITS.valuesPerRule) {
    throw wrong(at, `a rule may have ${LOAD_BALANCER_LIMITS.valuesPerRule} values, and this one has ${count}`)
  }
  const stars = wild.join('').replace(/[^*?]/g, '').length
  if (stars > LOAD_BALANCER_LIMITS.wildcardsPerRule) {
    throw wrong(at, `a rule may have ${LOAD_BALANCER_LIMITS.wildcardsPerRule} wildcards, and this one has ${stars}`)
  }
  if (Object.keys(headers).some((name) => name.toLowerCase() === 'host')) {
    throw wrong(`${at}.headers`, 'for the header host there is hosts')
  }
  for (const network of sourceIps) {
    if (!isNetwork(network) || !network.includes('/')) {
      throw wrong(`${at}.sourceIps`, `${JSON.stringify(network)} is no network such as 192.0.2.0/24`)
    }
  }
}

type RedirectBody = { readonly [Key in keyof Redirect]?: Redirect[Key] | undefined }

function checkRedirect({ protocol, host, port, path, query }: RedirectBody, at: string): void {
  for (const text of [host, path, query]) {
    for (const [, name = ''] of (text ?? '').matchAll(/#\{([^}]*)\}?/g)) {
      if (!['protocol', 'host', 'port', 'path', 'query'].includes(name)) {
        throw wrong(at, `#{${name}} stands for nothing; there are protocol, host, port, path and query`)
      }
    }
  }
  if (host !== undefined && !/^[A-Za-z0-9.#{}*-]+$/.test(host)) throw wrong(`${at}.host`, 'it is no host name')
  const isSame = (value: string | undefined, own: string): boolean => value === undefined || value === own
  if (
    isSame(protocol, '#{protocol}') &&
    isSame(host, '#{host}') &&
    isSame(port, '#{port}') &&
    isSame(path, '/#{path}')
  ) {
    throw wrong(at, `a redirect${query === undefined ? '' : ' of the query alone'} would lead to itself`)
  }
}

function wrong(path: string, message: string): HearthError {
  return new HearthError('INVALID_REQUEST', `${path}: ${message}`, { errors: [{ path, message }] })
}
