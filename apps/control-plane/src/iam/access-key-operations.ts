import { HearthError } from '@hearth/shared'
import type { KeyRecord } from '@hearth/store'
import { z } from 'zod'
import type { Access } from '../access/access.ts'
import { KEYS_PER_USER } from '../access/keys.ts'
import type { QueryCaller } from '../query/operation.ts'
import { type IamOperation, iamOperation } from './operation.ts'
import { pageOfAll } from './pages.ts'
import { AccessKeyId, ExistingName, PageInput } from './parameters.ts'
import { userOr } from './user-operations.ts'
import { dateView, keyView } from './views.ts'

const OfUser = z.object({ UserName: ExistingName.optional() })
const OneKey = OfUser.extend({ AccessKeyId })

/** Keys have no ARN: their user's stands for them. */
function resource(input: { readonly UserName?: string | undefined }, access: Access, caller: QueryCaller): string {
  const name = userOr(input.UserName, caller, access)
  return access.users.arnOf(access.users.find(name) ?? { name, path: '/' })
}

/** @throws HearthError KEY_NOT_FOUND, also when it is another user's */
function keyOf(input: z.output<typeof OneKey>, access: Access, caller: QueryCaller): KeyRecord {
  const user = access.users.get(userOr(input.UserName, caller, access))
  const key = access.keys.get(input.AccessKeyId)
  if (key.userName === user.name) return key
  throw new HearthError('KEY_NOT_FOUND', `The Access Key with id ${input.AccessKeyId} cannot be found.`)
}

export const accessKeyOperations: readonly IamOperation[] = [
  iamOperation({
    name: 'CreateAccessKey',
    note: 'without the Bearer token that a key of /v1/keys comes with',
    input: OfUser,
    resource,
    run(input, access, caller) {
      const userName = userOr(input.UserName, caller, access)
      const { record, secretAccessKey } = access.keys.create({ userName, limit: KEYS_PER_USER })
      const { UserName, AccessKeyId: id, Status, CreateDate } = keyView(record, access.now())
      return { AccessKey: { UserName, AccessKeyId: id, Status, SecretAccessKey: secretAccessKey, CreateDate } }
    }
  }),
  iamOperation({
    name: 'ListAccessKeys',
    input: OfUser.extend(PageInput),
    resource,
    run(input, access, caller) {
      const asked = { ...input, UserName: userOr(input.UserName, caller, access) }
      const keys = access.keys.list(asked.UserName)
      const { items, next } = pageOfAll('ListAccessKeys', asked, keys, ({ accessKeyId }) => accessKeyId)
      return { AccessKeyMetadata: items.map((key) => keyView(key, access.now())), ...next }
    }
  }),
  iamOperation({
    name: 'UpdateAccessKey',
    input: OneKey.extend({ Status: z.enum(['Active', 'Inactive']) }),
    resource,
    run(input, access, caller) {
      access.keys.setStatus(keyOf(input, access, caller).accessKeyId, input.Status)
      return undefined
    }
  }),
  iamOperation({
    name: 'DeleteAccessKey',
    input: OneKey,
    resource,
    run(input, access, caller) {
      access.keys.remove(keyOf(input, access, caller).accessKeyId)
      return undefined
    }
  }),
  iamOperation({
    name: 'GetAccessKeyLastUsed',
    input: z.object({ AccessKeyId }),
    resource: () => '*',
    run(input, { keys }) {
      const { userName, lastUsed } = keys.get(input.AccessKeyId)
      return {
        UserName: userName,
        AccessKeyLastUsed:
          lastUsed === undefined
            ? { ServiceName: 'N/A', Region: 'N/A' }
            : { LastUsedDate: dateView(lastUsed.at), ServiceName: lastUsed.service, Region: lastUsed.region }
      }
    }
  })
]
