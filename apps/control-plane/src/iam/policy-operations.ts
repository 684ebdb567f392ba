import { z } from 'zod'
import type { Access } from '../access/access.ts'
import type { ManagedPolicy } from '../access/managed-policies.ts'
import { tagItems } from '../access/tags.ts'
import { type IamOperation, iamOperation } from './operation.ts'
import { pageOfAll } from './pages.ts'
import {
  Arn,
  Document,
  Flag,
  PageInput,
  PathPrefix,
  PolicyDescription,
  PolicyName,
  PolicyPath,
  TagKeys,
  Tags,
  tagContext
} from './parameters.ts'
import { policyView } from './views.ts'

const ByArn = z.object({ PolicyArn: Arn })
const resource = ({ PolicyArn: arn }: { readonly PolicyArn: string }): string => arn

const Usage = z.enum(['PermissionsPolicy', 'PermissionsBoundary']).optional()
const SCOPES = { All: 'all', AWS: 'aws', Local: 'own' } as const

function isUsed(policy: ManagedPolicy, as: z.output<typeof Usage>): boolean {
  if (as === 'PermissionsBoundary') return policy.boundaries > 0
  return as === 'PermissionsPolicy' ? policy.attachments > 0 : policy.attachments + policy.boundaries > 0
}

export const policyOperations: readonly IamOperation[] = [
  iamOperation({
    name: 'CreatePolicy',
    input: z.object({
      PolicyName,
      PolicyDocument: Document,
      Path: PolicyPath.default('/'),
      Description: PolicyDescription.optional(),
      Tags: Tags.default([])
    }),
    resource: ({ PolicyName: name, Path }, { scope }) => `arn:aws:iam::${scope.accountId}:policy${Path}${name}`,
    context: (input) => tagContext(input.Tags),
    run: (input, { managed }) => ({
      Policy: policyView(
        managed.create({
          name: input.PolicyName,
          path: input.Path,
          document: input.PolicyDocument,
          description: input.Description,
          tags: input.Tags
        }),
        'whole'
      )
    })
  }),
  iamOperation({
    name: 'GetPolicy',
    input: ByArn,
    resource,
    run: ({ PolicyArn: arn }, { managed }) => ({ Policy: policyView(managed.get(arn), 'whole') })
  }),
  iamOperation({
    name: 'ListPolicies',
    note: "of AWS's policies, those that Lambda users attach",
    input: z.object({
      ...PageInput,
      Scope: z.enum(['All', 'AWS', 'Local']).default('All'),
      OnlyAttached: Flag.default(false),
      PathPrefix: PolicyPath.default('/'),
      PolicyUsageFilter: Usage
    }),
    resource: (input, { scope }) => `arn:aws:iam::${scope.accountId}:policy${input.PathPrefix}`,
    run(input, { managed }) {
      const { OnlyAttached: onlyAttached, PolicyUsageFilter: usage } = input
      const all = managed.list(SCOPES[input.Scope], input.PathPrefix)
      const found = onlyAttached || usage !== undefined ? all.filter((policy) => isUsed(policy, usage)) : all
      const { items, next } = pageOfAll('ListPolicies', input, found, ({ arn }) => arn)
      return { Policies: items.map((policy) => policyView(policy, 'listed')), ...next }
    }
  }),
  iamOperation({
    name: 'DeletePolicy',
    input: ByArn,
    resource,
    run({ PolicyArn: arn }, { managed }) {
      managed.remove(arn)
      return undefined
    }
  }),
  iamOperation({
    name: 'ListEntitiesForPolicy',
    input: ByArn.extend({
      ...PageInput,
      EntityFilter: z.enum(['User', 'Role', 'Group', 'LocalManagedPolicy', 'AWSManagedPolicy']).optional(),
      PathPrefix: PathPrefix.default('/'),
      PolicyUsageFilter: Usage
    }),
    resource,
    run: (input, access) => entities(input, access)
  }),
  iamOperation({
    name: 'TagPolicy',
    input: ByArn.extend({ Tags }),
    resource,
    context: (input) => tagContext(input.Tags),
    run(input, { managed }) {
      managed.tag(input.PolicyArn, input.Tags)
      return undefined
    }
  }),
  iamOperation({
    name: 'UntagPolicy',
    input: ByArn.extend({ TagKeys }),
    resource,
    context: (input) => ({ 'aws:TagKeys': input.TagKeys }),
    run(input, { managed }) {
      managed.untag(input.PolicyArn, input.TagKeys)
      return undefined
    }
  }),
  iamOperation({
    name: 'ListPolicyTags',
    input: ByArn.extend(PageInput),
    resource,
    run(input, { managed }) {
      const tags = tagItems(managed.get(input.PolicyArn).tags)
      const { items, next } = pageOfAll('ListPolicyTags', input, tags, ({ Key }) => Key)
      return { Tags: items, ...next }
    }
  })
]

interface EntitiesInput {
  readonly PolicyArn: string
  readonly EntityFilter?: string | undefined
  readonly PolicyUsageFilter?: z.output<typeof Usage>
  readonly PathPrefix: string
  readonly Marker?: string | undefined
  readonly MaxItems: number
}

function entities(input: EntitiesInput, { ownersOf }: Access) {
  const { EntityFilter: filter, PolicyUsageFilter: usage } = input
  const uses = [
    ...(usage === 'PermissionsBoundary' ? [] : ownersOf(input.PolicyArn, 'attachment')),
    ...(usage === 'PermissionsPolicy' ? [] : ownersOf(input.PolicyArn, 'boundary'))
  ]
  const all = [...new Map(uses.map((owner) => [owner.id, owner])).values()].filter(
    ({ kind, path }) => path.startsWith(input.PathPrefix) && (filter === undefined || filter.toLowerCase() === kind)
  )
  const { items, next } = pageOfAll('ListEntitiesForPolicy', input, all, ({ id }) => id)
  return {
    PolicyGroups: [],
    PolicyUsers: items.filter(({ kind }) => kind === 'user').map(({ id, name }) => ({ UserName: name, UserId: id })),
    PolicyRoles: items.filter(({ kind }) => kind === 'role').map(({ id, name }) => ({ RoleName: name, RoleId: id })),
    ...next
  }
}
