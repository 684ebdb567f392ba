import { randomBytes } from 'node:crypto'
import {
  type ArnScope,
  functionsOf,
  HearthError,
  LOAD_BALANCER_SERVICE,
  type LoadBalancer,
  type LoadBalancerRule,
  type LoadBalancerSettings,
  loadBalancerArn,
  targetGroupArn,
  type Wish
} from '@hearth/shared'
import type { HostOwner, LoadBalancersRepository } from '@hearth/store'
import { hearthArn } from '../access/route-resource.ts'
import { readDomainName } from '../urls/domain-name.ts'
import type { TriggerKind, TriggerShown } from './kind.ts'
import { checkLoadBalancer, DEFAULT_CHECK, LoadBalancerBody } from './load-balancer-settings.ts'
import type { ServicePermissions } from './service-permission.ts'

export interface LoadBalancerKindDeps {
  readonly repository: LoadBalancersRepository
  /** Who has a host already. */
  readonly ownerOf: (host: string) => HostOwner | undefined
  readonly permissions: ServicePermissions
  /** Names at and below it are the server's own. */
  readonly urlDomain: string
  readonly scope: ArnScope
  readonly now: () => Date
}

/** Functions behind rules, called as an Application Load Balancer calls its targets. */
export function createLoadBalancerKind(deps: LoadBalancerKindDeps): TriggerKind<typeof LoadBalancerBody> {
  const { repository, permissions, scope, now } = deps
  const arnOf = (name: string): string => loadBalancerArn(scope, name)
  const statementOf = (name: string): string => `hearth-load-balancer-${name}`

  const show = (one: LoadBalancer, created = false): TriggerShown => ({
    arn: arnOf(one.name),
    created,
    locate: (origin) => ({ url: `${origin}/lb/${one.name}/` }),
    view: {
      kind: 'load-balancer',
      name: one.name,
      arn: arnOf(one.name),
      path: `/lb/${one.name}/`,
      targetGroupArn: targetGroupArn(scope, one.name, one.id),
      function: one.functionArn,
      functions: functionsOf(one),
      enabled: one.isEnabled,
      description: one.description ?? '',
      multiValueHeaders: one.multiValueHeaders,
      rules: one.rules.map(({ priority, conditions, action }) => ({
        priority,
        conditions,
        ...('functionArn' in action ? { function: action.functionArn } : action)
      })),
      healthCheck: one.healthCheck === undefined ? null : { enabled: true, ...one.healthCheck },
      domains: one.domains,
      createdAt: new Date(one.createdAt).toISOString()
    }
  })

  const getOwn = (name: string): LoadBalancer => {
    const one = repository.find(name)
    if (one === undefined) {
      throw new HearthError('RESOURCE_NOT_FOUND', `There is no trigger ${name} of kind load-balancer.`)
    }
    return one
  }

  const domainsOf = (name: string, wanted: readonly string[]): readonly string[] => {
    const hosts = [...new Set(wanted.map((host) => readDomainName(host, deps.urlDomain)))]
    for (const host of hosts) {
      const owner = deps.ownerOf(host)
      if (owner === undefined || (owner.kind === 'load-balancer' && owner.name === name)) continue
      throw new HearthError(
        'RESOURCE_IN_USE',
        `The host ${host} leads to something else already: ${WORDS[owner.kind]}.`
      )
    }
    return hosts
  }

  const settingsOf = (name: string, body: LoadBalancerBody): LoadBalancerSettings => ({
    functionArn: permissions.arnOf(body.function),
    multiValueHeaders: body.multiValueHeaders ?? false,
    rules: (body.rules ?? [])
      .map(
        (rule): LoadBalancerRule => ({
          priority: rule.priority,
          conditions: { ...rule.conditions, headers: lowerCase(rule.conditions.headers) },
          action: actionOf(rule)
        })
      )
      .sort((a, b) => a.priority - b.priority),
    healthCheck: body.healthCheck == null || body.healthCheck.enabled === false ? undefined : checkOf(body.healthCheck),
    domains: domainsOf(name, body.domains ?? []),
    description: body.description ?? undefined
  })

  const actionOf = (rule: NonNullable<LoadBalancerBody['rules']>[number]): LoadBalancerRule['action'] => {
    if (rule.function !== undefined) return { functionArn: permissions.arnOf(rule.function) }
    if (rule.fixedResponse !== undefined) {
      const { status, contentType = 'text/plain', body = '' } = rule.fixedResponse
      return { fixedResponse: { status, contentType, body } }
    }
    const { status = 302, protocol, host, port, path, query } = rule.redirect!
    return {
      redirect: {
        status,
        protocol: protocol ?? '#{protocol}',
        host: host ?? '#{host}',
        port: port ?? '#{port}',
        path: path ?? '/#{path}',
        query: query ?? '#{query}'
      }
    }
  }

  return {
    kind: 'load-balancer',
    body: LoadBalancerBody,
    summary: 'a load balancer',
    wishes(step, name, body) {
      const verb = {
        put: 'PutTrigger',
        get: 'GetTrigger',
        pause: 'PutTrigger',
        resume: 'PutTrigger',
        delete: 'DeleteTrigger',
        list: 'ListTriggers'
      }[step]
      const own: Wish = { action: `hearth:${verb}`, resource: step === 'list' ? '*' : arnOf(name) }
      if (body === undefined) return [own]
      const functions = [body.function, ...(body.rules ?? []).flatMap((rule) => rule.function ?? [])]
      // As for domains of functions.
      const domains = (body.domains ?? []).map((host) => ({
        action: 'hearth:PutDomain',
        resource: hearthArn(scope, `domain/${readDomainName(host, deps.urlDomain)}`)
      }))
      return [own, ...domains, ...functions.map((one) => permissions.wish(one, 'lambda:AddPermission'))]
    },
    put(name, body) {
      checkLoadBalancer(name, body)
      const before = repository.find(name)
      const settings = settingsOf(name, body)
      const id = before?.id ?? randomBytes(8).toString('hex')
      const functions = functionsOf(settings)
      for (const arn of functions) {
        permissions.allow(arn, statementOf(name), LOAD_BALANCER_SERVICE, targetGroupArn(scope, name, id))
      }
      for (const arn of before === undefined ? [] : functionsOf(before)) {
        if (!functions.includes(arn)) permissions.revoke(arn, statementOf(name))
      }
      const at = now().getTime()
      const one: LoadBalancer = {
        ...settings,
        name,
        id,
        isEnabled: body.enabled ?? true,
        createdAt: before?.createdAt ?? at,
        modifiedAt: at
      }
      repository.put(one)
      return show(one, before === undefined)
    },
    get: (name) => show(getOwn(name)),
    setEnabled(name, isEnabled) {
      getOwn(name)
      repository.setEnabled(name, isEnabled, now().getTime())
      return show(getOwn(name))
    },
    delete(name) {
      for (const arn of functionsOf(getOwn(name))) permissions.revoke(arn, statementOf(name))
      repository.remove(name)
    },
    list: (after, limit) => repository.list(after, limit).map((one) => show(one))
  }
}

const WORDS: Readonly<Record<HostOwner['kind'], string>> = {
  'function-url': 'a function’s URL',
  api: 'an API',
  'load-balancer': 'another load balancer'
}

function checkOf(
  given: NonNullable<LoadBalancerBody['healthCheck']>
): NonNullable<LoadBalancerSettings['healthCheck']> {
  return {
    path: given.path ?? DEFAULT_CHECK.path,
    intervalSeconds: given.intervalSeconds ?? DEFAULT_CHECK.intervalSeconds,
    timeoutSeconds: given.timeoutSeconds ?? DEFAULT_CHECK.timeoutSeconds,
    healthyThreshold: given.healthyThreshold ?? DEFAULT_CHECK.healthyThreshold,
    unhealthyThreshold: given.unhealthyThreshold ?? DEFAULT_CHECK.unhealthyThreshold,
    matcher: given.matcher ?? DEFAULT_CHECK.matcher
  }
}

function lowerCase(headers: Readonly<Record<string, readonly string[]>> | undefined) {
  return headers && Object.fromEntries(Object.entries(headers).map(([name, values]) => [name.toLowerCase(), values]))
}
