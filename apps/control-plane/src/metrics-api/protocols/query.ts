import type { QueryResult } from '../../query/operation.ts'
import type { QueryService } from '../../query/registry.ts'
import { StringMap, type XmlValue } from '../../query/xml.ts'
import type { MonitoringDeps } from '../operation.ts'
import { MONITORING } from '../registry.ts'
import { runOperation } from './calls.ts'

/** CloudWatch by the query protocol: the AWS CLI and older SDKs. */
export function monitoringQuery(deps: MonitoringDeps): QueryService {
  return {
    name: MONITORING.name,
    version: MONITORING.version,
    xmlns: MONITORING.xmlns,
    takesGzip: true,
    prepare: () => undefined,
    async serve(request, action, members) {
      const answer = await runOperation(request, action, members, deps)
      return Object.keys(answer).length === 0 ? undefined : (xmlOf(answer) as QueryResult)
    }
  }
}

/** Times in ISO 8601. */
function xmlOf(value: unknown): XmlValue {
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(xmlOf)
  if (typeof value !== 'object' || value === null || value instanceof StringMap) return value as XmlValue
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, xmlOf(inner)]))
}
