import { type ArnScope, type CorsConfig, type Domain, type FunctionUrl, functionArn, HearthError } from '@hearth/shared'
import type { FunctionsRepository, FunctionUrlsRepository, HostOwner } from '@hearth/store'
import { randomId } from '../random-id.ts'
import { checkCors } from './cors-settings.ts'

export interface UrlServiceDeps {
  readonly urls: FunctionUrlsRepository
  readonly functions: Pick<FunctionsRepository, 'find'>
  /** Whether a function has an alias of this name. */
  readonly hasAlias: (functionName: string, alias: string) => boolean
  /** What a host leads to already. */
  readonly ownerOf: (host: string) => HostOwner | undefined
  readonly scope: ArnScope
  readonly now: () => Date
}

/** What of a URL its owner chooses. */
export interface UrlSettings {
  readonly authType: FunctionUrl['authType']
  readonly cors: CorsConfig | undefined
  readonly invokeMode: FunctionUrl['invokeMode']
}

/** Function URLs and their domains: the use cases behind both API dialects. A qualifier is the name of an alias. */
export interface UrlService {
  find(functionName: string, qualifier: string | undefined): FunctionUrl | undefined
  /** @throws HearthError FUNCTION_URL_NOT_FOUND */
  get(functionName: string, qualifier: string | undefined): FunctionUrl
  /** @throws HearthError FUNCTION_NOT_FOUND, FUNCTION_URL_EXISTS, INVALID_REQUEST */
  create(functionName: string, qualifier: string | undefined, settings: UrlSettings): FunctionUrl
  /** @throws HearthError FUNCTION_NOT_FOUND, FUNCTION_URL_NOT_FOUND, INVALID_REQUEST */
  change(functionName: string, qualifier: string | undefined, change: Partial<UrlSettings>): FunctionUrl
  /** @throws HearthError FUNCTION_NOT_FOUND, INVALID_REQUEST */
  put(
    functionName: string,
    qualifier: string | undefined,
    settings: UrlSettings
  ): { readonly url: FunctionUrl; readonly created: boolean }
  /** @throws HearthError FUNCTION_URL_NOT_FOUND */
  remove(functionName: string, qualifier: string | undefined): void
  /** In order of ids. @throws HearthError FUNCTION_NOT_FOUND */
  list(functionName: string, after: string, limit: number): readonly FunctionUrl[]
  /** @throws HearthError FUNCTION_URL_NOT_FOUND: a domain answers as the URL does; RESOURCE_IN_USE */
  putDomain(
    host: string,
    functionName: string,
    qualifier: string | undefined
  ): { readonly domain: Domain; readonly created: boolean }
  /** @throws HearthError DOMAIN_NOT_FOUND */
  getDomain(host: string): Domain
  /** @throws HearthError DOMAIN_NOT_FOUND */
  removeDomain(host: string): void
  /** In order of hosts. */
  listDomains(after: string, limit: number): readonly Domain[]
}

const ID_CHARS = 32

export function createUrlService({ urls, functions, hasAlias, ownerOf, scope, now }: UrlServiceDeps): UrlService {
  const requireFunction = (name: string, qualifier: string | undefined): void => {
    if (functions.find(name) !== undefined && (qualifier === undefined || hasAlias(name, qualifier))) return
    throw new HearthError('FUNCTION_NOT_FOUND', `Function not found: ${functionArn(scope, name, qualifier)}`, {
      awsMessage: 'Function does not exist'
    })
  }

  const made = (functionName: string, qualifier: string | undefined, settings: UrlSettings): FunctionUrl => {
    const at = now().toISOString()
    return { id: randomId(ID_CHARS), functionName, qualifier, ...settings, createdAt: at, lastModified: at }
  }

  const update = (
    name: string,
    qualifier: string | undefined,
    change: (current: FunctionUrl | undefined) => FunctionUrl
  ): { readonly url: FunctionUrl; readonly created: boolean } => {
    const { before, after } = urls.update(name, qualifier, (current) => {
      requireFunction(name, qualifier)
      const wanted = change(current)
      checkCors(wanted.cors)
      return wanted
    })
    return { url: after as FunctionUrl, created: before === undefined }
  }

  const getDomain = (host: string): Domain => {
    const domain = urls.findDomain(host)
    if (domain === undefined) throw noDomain(host)
    return domain
  }

  return {
    find: (name, qualifier) => urls.find(name, qualifier),
    get(name, qualifier) {
      const url = urls.find(name, qualifier)
      if (url === undefined) throw noUrl(name, qualifier)
      return url
    },
    create: (name, qualifier, settings) =>
      update(name, qualifier, (current) => {
        if (current === undefined) return made(name, qualifier, settings)
        const arn = functionArn(scope, name, qualifier)
        throw new HearthError(
          'FUNCTION_URL_EXISTS',
          `Failed to create function url config for [functionArn = ${arn}]. Error message:  FunctionUrlConfig exists for this Lambda function`
        )
      }).url,
    change: (name, qualifier, change) =>
      update(name, qualifier, (current) => {
        if (current === undefined) throw noUrl(name, qualifier)
        return { ...current, ...change, lastModified: now().toISOString() }
      }).url,
    put: (name, qualifier, settings) =>
      update(name, qualifier, (current) =>
        current === undefined
          ? made(name, qualifier, settings)
          : { ...current, ...settings, lastModified: now().toISOString() }
      ),
    remove(name, qualifier) {
      urls.update(name, qualifier, (current) => {
        if (current === undefined) throw noUrl(name, qualifier)
        return undefined
      })
    },
    list(name, after, limit) {
      requireFunction(name, undefined)
      return urls.list(name, after, limit)
    },
    putDomain(host, functionName, qualifier) {
      return urls.putDomain({ host, functionName, qualifier, createdAt: now().toISOString() }, () => {
        if (urls.find(functionName, qualifier) === undefined) throw noUrl(functionName, qualifier)
        const owner = ownerOf(host)
        if (owner === undefined || owner.kind === 'function-url') return
        const what = owner.kind === 'api' ? 'an API' : `the load balancer ${owner.name}`
        throw new HearthError('RESOURCE_IN_USE', `The host ${host} leads to ${what} already.`)
      })
    },
    getDomain,
    removeDomain(host) {
      if (!urls.removeDomain(host)) throw noDomain(host)
    },
    listDomains: (after, limit) => urls.listDomains(after, limit)
  }
}

function noUrl(name: string, qualifier: string | undefined): HearthError {
  const target = qualifier === undefined ? name : `${name}:${qualifier}`
  return new HearthError('FUNCTION_URL_NOT_FOUND', `${target} has no URL: PUT /v1/functions/${name}/url makes one.`, {
    awsMessage: 'The resource you requested does not exist.'
  })
}

function noDomain(host: string): HearthError {
  return new HearthError('DOMAIN_NOT_FOUND', `There is no domain ${host} here.`)
}
