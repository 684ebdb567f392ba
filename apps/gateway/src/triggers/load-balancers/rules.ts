import type { IncomingHttpHeaders } from 'node:http'
import {
  hostName,
  type LoadBalancerAction,
  type LoadBalancerConditions,
  type LoadBalancerSettings,
  matchesGlob,
  networkMatcher,
  parseGlob
} from '@hearth/shared'

/** What of a request rules look at. */
export interface RuleFacts {
  readonly method: string
  /** As it was sent, without its query. */
  readonly path: string
  /** Undecoded, without the question mark. */
  readonly query: string
  readonly headers: IncomingHttpHeaders
  /** Undefined: from inside a function. */
  readonly sourceIp: string | undefined
}

type Test = (facts: RuleFacts) => boolean

/** The rules of a load balancer, made ready: the first in the order of priority whose conditions all hold. */
export function compileRules({ rules, functionArn }: LoadBalancerSettings): (facts: RuleFacts) => LoadBalancerAction {
  const ordered = [...rules]
    .sort((a, b) => a.priority - b.priority)
    .map(({ conditions, action }) => ({ tests: testsOf(conditions), action }))
  const last = { functionArn }
  return (facts) => {
    for (const { tests, action } of ordered) if (tests.every((test) => test(facts))) return action
    return last
  }
}

function testsOf(conditions: LoadBalancerConditions): readonly Test[] {
  const { hosts, paths, headers = {}, methods, query, sourceIps } = conditions
  const tests: Test[] = []
  if (hosts !== undefined) {
    const isOne = anyOf(hosts, true)
    tests.push(({ headers: { host } }) => host !== undefined && isOne(hostName(host)))
  }
  if (paths !== undefined) {
    const isOne = anyOf(paths, false)
    tests.push(({ path }) => isOne(path))
  }
  for (const [name, values] of Object.entries(headers)) {
    const isOne = anyOf(values, true)
    tests.push(({ headers: sent }) => {
      const value = sent[name]
      return value !== undefined && (typeof value === 'string' ? isOne(value) : value.some(isOne))
    })
  }
  if (methods !== undefined) tests.push(({ method }) => methods.includes(method))
  if (query !== undefined) {
    const pairs = query.map(({ key, value }) => ({
      key: key === undefined ? undefined : anyOf([key], true),
      value: anyOf([value], true)
    }))
    tests.push((facts) => {
      if (facts.query === '') return false
      const sent = [...new URLSearchParams(facts.query)]
      return pairs.some(({ key, value }) =>
        sent.some(([name, text]) => (key === undefined || key(name)) && value(text))
      )
    })
  }
  if (sourceIps !== undefined) {
    const isIn = networkMatcher(sourceIps)
    tests.push(({ sourceIp }) => sourceIp !== undefined && isIn(sourceIp))
  }
  return tests
}

function anyOf(patterns: readonly string[], anyCase: boolean): (text: string) => boolean {
  const globs = patterns.map((pattern) => parseGlob(anyCase ? pattern.toLowerCase() : pattern))
  return (text) => {
    const seen = anyCase ? text.toLowerCase() : text
    return globs.some((glob) => matchesGlob(glob, seen))
  }
}
