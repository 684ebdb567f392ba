import { type ApiDomain, type ApiMapping, apiGatewayArn, HearthError } from '@hearth/shared'
import { z } from 'zod'
import { randomId } from '../random-id.ts'
import { readDomainName } from '../urls/domain-name.ts'
import { type Drafts } from './drafts.ts'
import { isEmpty, Tags, Unserved } from './model.ts'
import { badRequest, conflict, notFound, unsupported } from './refusals.ts'
import { checkTags } from './resource-tags.ts'

const Configuration = z.strictObject({
  certificateArn: z.string().max(2_048).optional(),
  certificateName: z.string().max(128).optional(),
  certificateUploadDate: z.string().optional(),
  endpointType: z.enum(['REGIONAL', 'EDGE']).optional(),
  ipAddressType: z.enum(['ipv4', 'dualstack']).optional(),
  ownershipVerificationCertificateArn: z.string().max(2_048).optional(),
  securityPolicy: z.enum(['TLS_1_0', 'TLS_1_2']).optional(),
  // Clients send back what they were shown.
  apiGatewayDomainName: Unserved,
  domainNameStatus: Unserved,
  domainNameStatusMessage: Unserved,
  hostedZoneId: Unserved
})
const Settings = {
  domainNameConfigurations: z.array(Configuration).max(1).optional(),
  mutualTlsAuthentication: Unserved,
  routingMode: z.string().optional()
}
export const CreateDomainInput = z.strictObject({
  ...Settings,
  domainName: z.string().min(1).max(512),
  tags: Tags.optional()
})
export const UpdateDomainInput = z.strictObject(Settings)

const Mapping = {
  apiId: z.string().min(1),
  stage: z.string().min(1).max(128),
  apiMappingKey: z.string().max(300).optional()
}
export const CreateMappingInput = z.strictObject(Mapping)
export const UpdateMappingInput = z.strictObject({ ...Mapping, stage: Mapping.stage.optional() })
type MappingInput = z.output<typeof CreateMappingInput>

/** Host names of one's own, and the stages that they lead to. */
export interface Domains {
  /** @param fromTrigger - It goes with its last mapping */
  create(input: z.output<typeof CreateDomainInput>, fromTrigger?: true): ApiDomain
  /** @throws HearthError RESOURCE_NOT_FOUND */
  get(name: string): ApiDomain
  update(name: string, change: z.output<typeof UpdateDomainInput>): ApiDomain
  /** With its mappings. */
  remove(name: string): void
  createMapping(domain: string, input: MappingInput): ApiMapping
  getMapping(domain: string, id: string): ApiMapping
  updateMapping(domain: string, id: string, change: z.output<typeof UpdateMappingInput>): ApiMapping
  removeMapping(domain: string, id: string): void
  /** @throws HearthError INVALID_REQUEST for what is no name, or one of the server's own */
  nameIn(text: string): string
}

/** Source: API Gateway's documentation of API mappings. */
const KEY = /^[A-Za-z0-9$\-_.+!*'()]+(\/[A-Za-z0-9$\-_.+!*'()]+)*$/
const MAX_MAPPINGS = 200
const MAX_DOMAINS = 120

export function createDomains(drafts: Drafts): Domains {
  const { repository, urlDomain, now, exclusively, isHostTaken } = drafts

  const nameIn = (text: string): string => {
    try {
      return readDomainName(text, urlDomain)
    } catch (err) {
      if (err instanceof HearthError) throw badRequest(err.message, 'domainName')
      throw err
    }
  }
  const get = (name: string): ApiDomain => {
    const domain = repository.findDomain(name.toLowerCase())
    if (domain === undefined) throw notFound(`Invalid domain name identifier specified: ${name}`)
    return domain
  }
  const getMapping = (domain: string, id: string): ApiMapping => {
    const mapping = repository.findMapping(get(domain).name, id)
    if (mapping === undefined) throw notFound(`Invalid API mapping identifier specified: ${id}`)
    return mapping
  }

  function checkMapping(
    { name }: ApiDomain,
    { apiId, stage, apiMappingKey: key = '' }: MappingInput,
    id?: string
  ): void {
    const api = repository.find(apiId)
    if (api === undefined) throw badRequest(`Invalid API identifier specified: ${apiId}`, 'apiId')
    if (repository.findPart(apiId, 'stage', stage) === undefined) {
      throw badRequest(`Invalid stage identifier specified: API ${apiId} has no stage ${stage}`, 'stage')
    }
    if (key !== '' && !KEY.test(key)) {
      const words = "letters, digits and $-_.+!*'() in parts between slashes, without one at the ends"
      throw badRequest(`Invalid apiMappingKey ${key}: it has ${words}.`, 'apiMappingKey')
    }
    if (key.includes('/') && api.protocol === 'WEBSOCKET') {
      throw badRequest('API mappings of WebSocket APIs have one part.', 'apiMappingKey')
    }
    const twin = repository.findMappingByKey(name, key)
    if (twin !== undefined && twin.id !== id)
      throw conflict(`ApiMapping key already exists for this domain name: '${key}'`)
    const others = repository.listMappings(name, '', MAX_MAPPINGS + 1).filter((other) => other.id !== id)
    if (others.length >= MAX_MAPPINGS) throw badRequest(`A domain may have ${MAX_MAPPINGS} API mappings.`)
    if (others.some((other) => repository.find(other.apiId)?.protocol !== api.protocol)) {
      throw badRequest(
        `HTTP and WebSocket APIs cannot share a domain: ${name} leads to APIs of the other kind.`,
        'apiId'
      )
    }
  }

  return {
    nameIn,
    get,
    getMapping,
    create: (input, fromTrigger) =>
      exclusively(() => {
        const name = nameIn(input.domainName)
        const settings = settingsOf(input) ?? [{}]
        const tags = input.tags ?? {}
        checkTags(tags)
        if (isHostTaken(name)) {
          throw conflict(`The domain name you provided already exists: ${name}`)
        }
        if (repository.listDomains('', MAX_DOMAINS).length >= MAX_DOMAINS) {
          throw badRequest(`There may be ${MAX_DOMAINS} custom domain names.`)
        }
        const domain = { name, tags, settings, fromTrigger, createdAt: now().getTime() }
        repository.putDomain(domain)
        return domain
      }),
    update: (name, change) =>
      exclusively(() => {
        const before = get(name)
        const domain = { ...before, settings: settingsOf(change) ?? before.settings, fromTrigger: undefined }
        repository.putDomain(domain)
        return domain
      }),
    remove: (name) => {
      exclusively(() => repository.removeDomain(get(name).name))
    },
    createMapping: (domainName, input) =>
      exclusively(() => {
        const domain = get(domainName)
        checkMapping(domain, input)
        const { apiId, stage, apiMappingKey: key = '' } = input
        const mapping = { id: randomId(MAPPING_CHARS), domain: domain.name, apiId, stage, key }
        repository.putMapping(mapping)
        return mapping
      }),
    updateMapping: (domainName, id, change) =>
      exclusively(() => {
        const before = getMapping(domainName, id)
        const { apiId, stage = before.stage, apiMappingKey: key = before.key } = change
        checkMapping(get(domainName), { apiId, stage, apiMappingKey: key }, id)
        const mapping = { ...before, apiId, stage, key }
        repository.putMapping(mapping)
        return mapping
      }),
    removeMapping: (domainName, id) => {
      exclusively(() => {
        const { domain } = getMapping(domainName, id)
        repository.removeMapping(domain, id)
        const isLast = repository.listMappings(domain, '', 1).length === 0
        if (isLast && get(domain).fromTrigger === true) repository.removeDomain(domain)
      })
    }
  }
}

const MAPPING_CHARS = 6

export function domainView({ name, settings, tags }: ApiDomain, { scope, urlDomain }: Drafts): object {
  return {
    apiMappingSelectionExpression: '$request.basepath',
    domainName: name,
    domainNameArn: apiGatewayArn(scope, `/domainnames/${name}`),
    domainNameConfigurations: settings.map((given) => ({
      // What the name is to be an alias of.
      apiGatewayDomainName: urlDomain,
      domainNameStatus: 'AVAILABLE',
      endpointType: 'REGIONAL',
      ipAddressType: 'ipv4',
      securityPolicy: 'TLS_1_2',
      ...given
    })),
    routingMode: 'API_MAPPING_ONLY',
    tags
  }
}

export function mappingView({ id, apiId, stage, key }: ApiMapping): object {
  return { apiId, apiMappingId: id, apiMappingKey: key, stage }
}

type Given = Readonly<Record<string, unknown>>

/** Of a configuration, said by the server. */
const SHOWN = new Set(['apiGatewayDomainName', 'domainNameStatus', 'domainNameStatusMessage', 'hostedZoneId'])

/** @returns undefined when nothing is said of them */
function settingsOf(input: z.output<typeof UpdateDomainInput>): readonly Given[] | undefined {
  if (!isEmpty(input.mutualTlsAuthentication) && Object.values(input.mutualTlsAuthentication as object).some(Boolean)) {
    throw unsupported(
      'mutualTlsAuthentication is not supported: TLS ends before this server.',
      'mutualTlsAuthentication'
    )
  }
  const { routingMode = 'API_MAPPING_ONLY' } = input
  if (routingMode !== 'API_MAPPING_ONLY') {
    throw unsupported(`routingMode ${routingMode} is not supported: API_MAPPING_ONLY is.`, 'routingMode')
  }
  return input.domainNameConfigurations?.map((configuration): Given => {
    return Object.fromEntries(Object.entries(configuration).filter(([member]) => !SHOWN.has(member)))
  })
}
