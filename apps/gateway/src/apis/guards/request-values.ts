import type { GuardedRequest } from '../guard.ts'

/** `$request.header.Authorization`; a WebSocket API's begin with `route.` instead. */
const SOURCE = /^\$?(?:route\.)?(request\.header|request\.querystring|context|stageVariables)\.(.+)$/

/** What stands at an identity source. @returns undefined when there is nothing, or nothing in it */
export function identityOf(source: string, request: GuardedRequest): string | undefined {
  const [, kind, name = ''] = SOURCE.exec(source) ?? []
  const value =
    kind === 'request.header'
      ? headerOf(request, name)
      : kind === 'request.querystring'
        ? queryOf(request.rawQuery).get(name)?.join(',')
        : kind === 'stageVariables'
          ? ownOf(request.stage.variables, name)
          : kind === 'context'
            ? contextOf(request, name)
            : undefined
  return value === '' ? undefined : value
}

/** All of its values, as the function sees them: which of two counts must not depend on who looks. */
export function headerOf({ req: { rawHeaders } }: GuardedRequest, name: string): string | undefined {
  const wanted = name.toLowerCase()
  let value: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.toLowerCase() !== wanted) continue
    value = value === undefined ? rawHeaders[i + 1]! : `${value},${rawHeaders[i + 1]!}`
  }
  return value
}

/** Values by name, decoded, in the order in which they came. */
export function queryOf(rawQuery: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>()
  if (rawQuery === '') return values
  for (const [name, value] of new URLSearchParams(rawQuery)) {
    const known = values.get(name)
    if (known === undefined) values.set(name, [value])
    else known.push(value)
  }
  return values
}

function contextOf(request: GuardedRequest, name: string): string | undefined {
  switch (name) {
    case 'path':
      return request.path
    case 'routeKey':
      return request.route.key
    case 'httpMethod':
      return request.req.method
    case 'protocol':
      return `HTTP/${request.req.httpVersion}`
    case 'stage':
      return request.stage.name
    case 'apiId':
      return request.api.id
    case 'domainName':
      return request.domainName
    case 'requestId':
      return request.requestId
    case 'connectionId':
      return request.connectionId
    case 'identity.sourceIp':
      return request.sourceIp
    case 'identity.userAgent':
      return request.req.headers['user-agent']
    default:
      return undefined
  }
}

function ownOf(record: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}
