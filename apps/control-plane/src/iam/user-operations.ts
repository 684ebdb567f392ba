import { HearthError } from '@hearth/shared'
import { z } from 'zod'
import type { Access } from '../access/access.ts'
import { nameInArn } from '../access/names.ts'
import type { QueryCaller } from '../query/operation.ts'
import { type IamOperation, iamOperation } from './operation.ts'
import { pageOf } from './pages.ts'
import {
  Arn,
  boundaryContext,
  ExistingName,
  NewName,
  PageInput,
  Path,
  PathPrefix,
  Tags,
  tagContext
} from './parameters.ts'
import { userView } from './views.ts'

const Named = z.object({ UserName: ExistingName })

function resource({ UserName: name }: { readonly UserName: string }, { users }: Access): string {
  return users.arnOf(users.find(name) ?? { name, path: '/' })
}

/**
 * The user that a call is about that does not name one: who calls.
 *
 * @throws HearthError INVALID_REQUEST when that is no user
 */
export function userOr(name: string | undefined, { principal }: QueryCaller, { scope }: Access): string {
  const user = name ?? nameInArn(principal.arn, scope.accountId, 'user')
  if (user !== undefined) return user
  throw new HearthError('INVALID_REQUEST', 'Must specify userName when calling with non-User credentials')
}

export const userOperations: readonly IamOperation[] = [
  iamOperation({
    name: 'CreateUser',
    input: z.object({
      UserName: NewName,
      Path: Path.default('/'),
      PermissionsBoundary: Arn.optional(),
      Tags: Tags.default([])
    }),
    resource: ({ UserName: name, Path: path }, { users }) => users.arnOf({ name, path }),
    context: (input) => ({ ...tagContext(input.Tags), ...boundaryContext(input.PermissionsBoundary) }),
    run(input, access) {
      const user = access.users.create({
        name: input.UserName,
        path: input.Path,
        boundary: input.PermissionsBoundary,
        tags: input.Tags
      })
      return { User: userView(user, access, 'whole') }
    }
  }),
  iamOperation({
    name: 'GetUser',
    input: Named.partial(),
    resource: (input, access, caller) => resource({ UserName: userOr(input.UserName, caller, access) }, access),
    run: (input, access, caller) => ({
      User: userView(access.users.get(userOr(input.UserName, caller, access)), access, 'whole')
    })
  }),
  iamOperation({
    name: 'ListUsers',
    input: z.object({ ...PageInput, PathPrefix: PathPrefix.default('/') }),
    resource: (input, { users }) => users.arnOf({ name: '', path: input.PathPrefix }),
    run(input, access) {
      const { items, next } = pageOf(
        'ListUsers',
        input,
        (after, limit) => access.users.list(after, input.PathPrefix, limit),
        ({ name }) => name
      )
      return { Users: items.map((user) => userView(user, access, 'listed')), ...next }
    }
  }),
  iamOperation({
    name: 'UpdateUser',
    input: Named.extend({ NewUserName: NewName.optional(), NewPath: Path.optional() }),
    resource,
    run({ UserName, NewUserName, NewPath }, { users }) {
      users.rename(UserName, { name: NewUserName, path: NewPath })
      return undefined
    }
  }),
  iamOperation({
    name: 'DeleteUser',
    input: Named,
    resource,
    run({ UserName }, { users }) {
      users.remove(UserName)
      return undefined
    }
  }),
  iamOperation({
    name: 'ListGroupsForUser',
    note: 'always empty: there are no groups',
    input: Named.extend(PageInput),
    resource,
    run({ UserName }, { users }) {
      users.get(UserName)
      return { Groups: [], IsTruncated: false }
    }
  })
]
