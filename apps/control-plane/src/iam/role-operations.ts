import { z } from 'zod'
import type { Access } from '../access/access.ts'
import { type IamOperation, iamOperation } from './operation.ts'
import { pageOf } from './pages.ts'
import {
  Arn,
  boundaryContext,
  Description,
  Document,
  MaxSessionDuration,
  NewName,
  PageInput,
  Path,
  PathPrefix,
  Tags,
  tagContext
} from './parameters.ts'
import { roleView } from './views.ts'

const Named = z.object({ RoleName: NewName })

/** Where the role is, if it is there. */
function resource({ RoleName: name }: { readonly RoleName: string }, { roles }: Access): string {
  return roles.arnOf(roles.find(name) ?? { name, path: '/' })
}

export const roleOperations: readonly IamOperation[] = [
  iamOperation({
    name: 'CreateRole',
    input: Named.extend({
      AssumeRolePolicyDocument: Document,
      Path: Path.default('/'),
      Description: Description.optional(),
      MaxSessionDuration: MaxSessionDuration.optional(),
      PermissionsBoundary: Arn.optional(),
      Tags: Tags.default([])
    }),
    resource: ({ RoleName: name, Path: path }, { roles }) => roles.arnOf({ name, path }),
    context: (input) => ({ ...tagContext(input.Tags), ...boundaryContext(input.PermissionsBoundary) }),
    run(input, access) {
      const role = access.roles.create({
        name: input.RoleName,
        trust: input.AssumeRolePolicyDocument,
        path: input.Path,
        description: input.Description,
        maxSessionS: input.MaxSessionDuration,
        boundary: input.PermissionsBoundary,
        tags: input.Tags
      })
      return { Role: roleView(role, access, 'created') }
    }
  }),
  iamOperation({
    name: 'GetRole',
    input: Named,
    resource,
    run: ({ RoleName }, access) => ({ Role: roleView(access.roles.get(RoleName), access, 'whole') })
  }),
  iamOperation({
    name: 'ListRoles',
    input: z.object({ ...PageInput, PathPrefix: PathPrefix.default('/') }),
    resource: (input, { roles }) => roles.arnOf({ name: '', path: input.PathPrefix }),
    run(input, access) {
      const { items, next } = pageOf(
        'ListRoles',
        input,
        (after, limit) => access.roles.list(after, input.PathPrefix, limit),
        ({ name }) => name
      )
      return { Roles: items.map((role) => roleView(role, access, 'listed')), ...next }
    }
  }),
  iamOperation({
    name: 'UpdateRole',
    input: Named.extend({
      Description: Description.optional(),
      MaxSessionDuration: MaxSessionDuration.optional()
    }),
    resource,
    run(input, { roles }) {
      roles.update(input.RoleName, { description: input.Description, maxSessionS: input.MaxSessionDuration })
      return {}
    }
  }),
  iamOperation({
    name: 'UpdateRoleDescription',
    input: Named.extend({ Description }),
    resource,
    run: (input, access) => ({
      Role: roleView(access.roles.update(input.RoleName, { description: input.Description }), access, 'whole')
    })
  }),
  iamOperation({
    name: 'UpdateAssumeRolePolicy',
    input: Named.extend({ PolicyDocument: Document }),
    resource,
    run({ RoleName, PolicyDocument }, { roles }) {
      roles.setTrust(RoleName, PolicyDocument)
      return undefined
    }
  }),
  iamOperation({
    name: 'DeleteRole',
    input: Named,
    resource,
    run({ RoleName }, { roles }) {
      roles.remove(RoleName)
      return undefined
    }
  }),
  iamOperation({
    name: 'ListInstanceProfilesForRole',
    note: 'always empty: there are no instance profiles',
    input: Named.extend(PageInput),
    resource,
    run({ RoleName }, { roles }) {
      roles.get(RoleName)
      return { InstanceProfiles: [], IsTruncated: false }
    }
  })
]
