import { parser } from '@prometheus-io/lezer-promql'

/** What one PromQL expression says, read without Prometheus. */
export interface Parsed {
  readonly isValid: boolean
  /** Names of metrics that it selects, each once. */
  readonly metrics: readonly string[]
  /** What selects them, with its labels: each is a query by itself. */
  readonly selectors: readonly string[]
}

export function parsePromql(expr: string): Parsed {
  let isValid = true
  const metrics = new Set<string>()
  const selectors = new Set<string>()
  parser.parse(expr).iterate({
    enter(node) {
      if (node.type.isError) isValid = false
      if (node.name === 'VectorSelector') selectors.add(expr.slice(node.from, node.to))
      if (node.name === 'Identifier' && node.node.parent?.name === 'VectorSelector') {
        metrics.add(expr.slice(node.from, node.to))
      }
    }
  })
  return { isValid, metrics: [...metrics], selectors: [...selectors] }
}

/** As Grafana puts its variables into a query: a scrape interval of 1 s, and 30 s on the screen. */
export function withoutMacros(expr: string): string {
  return expr.replaceAll('$__rate_interval', '10s').replaceAll('$__range', '30s').replaceAll('$function', '.+')
}
