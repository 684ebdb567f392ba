import { HearthError } from '@hearth/shared'
import { z } from 'zod'
import { tagItems } from '../access/tags.ts'
import { tagContext } from '../iam/parameters.ts'
import type { JsonServiceDefinition } from '../json-protocol/registry.ts'
import type { ParameterService } from '../secrets/parameter-service.ts'
import { pageOf } from '../secrets-manager/pages.ts'
import {
  metadataView,
  Name,
  Names,
  type ParameterOperation,
  parameterOperation,
  parameterTarget,
  Tags,
  Type,
  valueView
} from './operation.ts'
import { checkFilters, isBelow, matchesFilters, ParameterFilters } from './parameter-filters.ts'

const NextToken = z.string().min(1).optional()
const Flag = z.boolean().default(false)
const ResourceType = z.literal('Parameter')

const put = parameterOperation({
  name: 'PutParameter',
  note: "all values are encrypted under the server's master key: `KeyId` can only be `alias/aws/ssm`; `AllowedPattern`, `Policies` and data types beside `text` are refused",
  input: z.object({
    Name,
    Description: z.string().max(1_024).optional(),
    Value: z.string().min(1).max(65_536),
    Type: Type.optional(),
    KeyId: z.enum(['alias/aws/ssm', '']).optional(),
    Overwrite: Flag,
    AllowedPattern: z.string().max(1_024).optional(),
    Tags: Tags.default([]),
    Tier: z.enum(['Standard', 'Advanced', 'Intelligent-Tiering']).optional(),
    Policies: z.string().optional(),
    DataType: z.string().max(128).optional()
  }),
  target(input, service) {
    const own = parameterTarget(service, input.Name, {
      ...tagContext(input.Tags),
      'ssm:Overwrite': String(input.Overwrite)
    })
    return input.Tags.length === 0 ? own : [own, { ...own, action: 'ssm:AddTagsToResource' }]
  },
  run(input, service, { principal }) {
    refuse('AllowedPattern', input.AllowedPattern)
    refuse('Policies', input.Policies === '[]' || input.Policies === '[{}]' ? undefined : input.Policies)
    refuse('DataType', input.DataType === 'text' ? undefined : input.DataType)
    const { name, selector } = service.refOf(input.Name)
    if (selector !== undefined) throw new HearthError('VALIDATION_FAILED', 'A new version has no selector in its name.')
    const version = service.put({
      name,
      value: input.Value,
      type: input.Type,
      description: input.Description,
      overwrite: input.Overwrite,
      tags: input.Tags,
      tier: input.Tier,
      by: principal.arn
    })
    return { Version: version.version, Tier: version.tier }
  }
})

const reads: readonly ParameterOperation[] = [
  parameterOperation({
    name: 'GetParameter',
    input: z.object({ Name, WithDecryption: Flag }),
    target: (input, service) => parameterTarget(service, input.Name),
    run(input, service) {
      const ref = service.refOf(input.Name)
      return { Parameter: valueView(service, service.get(ref), input.WithDecryption, ref.selector) }
    }
  }),
  parameterOperation({
    name: 'GetParameters',
    input: z.object({ Names, WithDecryption: Flag }),
    target: (input, service) => input.Names.map((name) => parameterTarget(service, name)),
    run(input, service) {
      const found = input.Names.map((text) => {
        const ref = service.refOf(text)
        return { text, ref, version: service.find(ref) }
      })
      return {
        Parameters: found.flatMap(({ ref, version }) =>
          version === undefined ? [] : [valueView(service, version, input.WithDecryption, ref.selector)]
        ),
        InvalidParameters: found.flatMap(({ text, version }) => (version === undefined ? [text] : []))
      }
    }
  }),
  parameterOperation({
    name: 'GetParametersByPath',
    input: z.object({
      Path: Name,
      Recursive: Flag,
      ParameterFilters,
      WithDecryption: Flag,
      MaxResults: z.int().min(1).max(10).default(10),
      NextToken
    }),
    target: (input, service) => ({
      resource: service.arnOf(input.Path.replace(/(.)\/$/, '$1')),
      context: { 'ssm:Recursive': String(input.Recursive) }
    }),
    run(input, service) {
      if (!input.Path.startsWith('/')) {
        throw new HearthError('VALIDATION_FAILED', 'The parameter path must begin with a slash.')
      }
      checkFilters(input.ParameterFilters)
      const all = service
        .list(input.Path === '/' ? '' : input.Path)
        .filter(({ name }) => isBelow(name, input.Path, input.Recursive))
        .filter((version) => matchesFilters(service, version, input.ParameterFilters))
      const query = ['GetParametersByPath', input.Path, input.Recursive, input.ParameterFilters] as const
      const { page, next } = pageOf(query, input, all, ({ name }) => name)
      return {
        Parameters: page.map((version) => valueView(service, version, input.WithDecryption)),
        ...next
      }
    }
  }),
  parameterOperation({
    name: 'GetParameterHistory',
    input: z.object({ Name, WithDecryption: Flag, MaxResults: z.int().min(1).max(50).default(50), NextToken }),
    target: (input, service) => parameterTarget(service, input.Name),
    run(input, service) {
      const { name } = service.refOf(input.Name)
      const query = ['GetParameterHistory', name] as const
      const { page, next } = pageOf(query, input, service.history(name), ({ version }) => String(version))
      return {
        Parameters: page.map((version) => ({
          ...metadataView(service, version),
          Value: service.valueOf(version, input.WithDecryption),
          Labels: version.labels
        })),
        ...next
      }
    }
  }),
  parameterOperation({
    name: 'DescribeParameters',
    note: '`Filters`, the older form, is refused: `ParameterFilters` works',
    input: z.object({
      ParameterFilters,
      Filters: z.array(z.unknown()).default([]),
      MaxResults: z.int().min(1).max(50).default(10),
      NextToken
    }),
    target: () => '*',
    run(input, service) {
      if (input.Filters.length > 0) refuse('Filters', 'used')
      checkFilters(input.ParameterFilters)
      const all = service.list('').filter((version) => matchesFilters(service, version, input.ParameterFilters))
      const query = ['DescribeParameters', input.ParameterFilters] as const
      const { page, next } = pageOf(query, input, all, ({ name }) => name)
      return { Parameters: page.map((version) => metadataView(service, version)), ...next }
    }
  })
]

const writes: readonly ParameterOperation[] = [
  parameterOperation({
    name: 'DeleteParameter',
    input: z.object({ Name }),
    target: (input, service) => parameterTarget(service, input.Name),
    run(input, service) {
      const { name } = service.refOf(input.Name)
      if (!service.remove(name)) throw new HearthError('PARAMETER_NOT_FOUND', `There is no parameter ${name}.`)
      return {}
    }
  }),
  parameterOperation({
    name: 'DeleteParameters',
    input: z.object({ Names }),
    target: (input, service) => input.Names.map((name) => parameterTarget(service, name)),
    run(input, service) {
      const isGone = input.Names.map((text) => service.remove(service.refOf(text).name))
      return {
        DeletedParameters: input.Names.filter((_name, i) => isGone[i]),
        InvalidParameters: input.Names.filter((_name, i) => !isGone[i])
      }
    }
  }),
  parameterOperation({
    name: 'LabelParameterVersion',
    input: z.object({
      Name,
      ParameterVersion: z.int().min(1).optional(),
      Labels: z.array(z.string().min(1).max(100)).min(1).max(10)
    }),
    target: (input, service) => parameterTarget(service, input.Name),
    run(input, service) {
      const { name } = service.refOf(input.Name)
      const { version, invalid } = service.label(name, input.ParameterVersion, input.Labels)
      return { InvalidLabels: invalid, ParameterVersion: version }
    }
  }),
  parameterOperation({
    name: 'AddTagsToResource',
    note: 'of parameters',
    input: z.object({ ResourceType, ResourceId: Name, Tags }),
    target: (input, service) => parameterTarget(service, input.ResourceId, tagContext(input.Tags)),
    run(input, service) {
      service.tag(service.refOf(input.ResourceId).name, input.Tags)
      return {}
    }
  }),
  parameterOperation({
    name: 'RemoveTagsFromResource',
    note: 'of parameters',
    input: z.object({ ResourceType, ResourceId: Name, TagKeys: z.array(z.string().min(1).max(128)) }),
    target: (input, service) => parameterTarget(service, input.ResourceId, { 'aws:TagKeys': input.TagKeys }),
    run(input, service) {
      service.untag(service.refOf(input.ResourceId).name, input.TagKeys)
      return {}
    }
  }),
  parameterOperation({
    name: 'ListTagsForResource',
    note: 'of parameters',
    input: z.object({ ResourceType, ResourceId: Name }),
    target: (input, service) => parameterTarget(service, input.ResourceId),
    run: (input, service) => ({ TagList: tagItems(service.tags(service.refOf(input.ResourceId).name)) })
  })
]

/** What of Systems Manager is here: its Parameter Store, as AWS's clients know it. */
export const SSM = {
  name: 'ssm',
  target: 'AmazonSSM',
  operations: [put, ...reads, ...writes],
  unserved: { UnlabelParameterVersion: 'a label is moved by giving it to another version' }
} as const satisfies JsonServiceDefinition<ParameterService>

/** @throws HearthError UNSUPPORTED_FEATURE */
function refuse(member: string, value: string | undefined): void {
  if (value === undefined || value === '') return
  throw new HearthError('UNSUPPORTED_FEATURE', `${member} is not supported by this server.`, {
    awsCode: 'ValidationException'
  })
}
