import { z } from 'zod'
import type { Access } from '../access/access.ts'
import type { Roles } from '../access/roles.ts'
import { tagItems } from '../access/tags.ts'
import type { Users } from '../access/users.ts'
import { type IamOperation, iamOperation } from './operation.ts'
import { pageOfAll } from './pages.ts'
import {
  Arn,
  boundaryContext,
  Document,
  ExistingName,
  NewName,
  PageInput,
  PolicyName,
  PolicyPath,
  TagKeys,
  Tags,
  tagContext
} from './parameters.ts'
import { documentView } from './views.ts'

/** What users and roles have in common: policies, tags and a boundary, by operations with the one's or the other's name. */
export function principalOperations(kind: 'User' | 'Role'): readonly IamOperation[] {
  const nameMember = `${kind}Name`
  const serviceOf = (access: Access): Users | Roles => (kind === 'User' ? access.users : access.roles)

  /** Parameters with the name of whom it is about, which becomes `owner`. */
  const about = <Shape extends z.ZodRawShape>(shape: Shape) => {
    const Owner = z.object({ [nameMember]: kind === 'User' ? ExistingName : NewName })
    const Rest = z.object(shape)
    return Owner.and(Rest).transform((input) => ({
      ...(input as z.output<typeof Rest>),
      owner: (input as Record<string, string>)[nameMember] ?? ''
    }))
  }
  const resource = ({ owner }: { readonly owner: string }, access: Access): string => {
    const service = serviceOf(access)
    return service.arnOf(service.find(owner) ?? { name: owner, path: '/' })
  }
  const policyContext = ({ PolicyArn: arn }: { readonly PolicyArn: string }) => ({ 'iam:PolicyARN': arn })

  return [
    iamOperation({
      name: `Put${kind}Policy`,
      input: about({ PolicyName, PolicyDocument: Document }),
      resource,
      run({ owner, PolicyName: name, PolicyDocument }, access) {
        serviceOf(access).putInline(owner, name, PolicyDocument)
        return undefined
      }
    }),
    iamOperation({
      name: `Get${kind}Policy`,
      input: about({ PolicyName }),
      resource,
      run: ({ owner, PolicyName: name }, access) => ({
        [nameMember]: owner,
        PolicyName: name,
        PolicyDocument: documentView(serviceOf(access).getInline(owner, name))
      })
    }),
    iamOperation({
      name: `Delete${kind}Policy`,
      input: about({ PolicyName }),
      resource,
      run({ owner, PolicyName: name }, access) {
        serviceOf(access).removeInline(owner, name)
        return undefined
      }
    }),
    iamOperation({
      name: `List${kind}Policies`,
      input: about(PageInput),
      resource,
      run(input, access) {
        const inline = serviceOf(access).listInline(input.owner)
        const { items, next } = pageOfAll(`List${kind}Policies`, input, inline, ({ name }) => name)
        return { PolicyNames: items.map(({ name }) => name), ...next }
      }
    }),
    iamOperation({
      name: `Attach${kind}Policy`,
      input: about({ PolicyArn: Arn }),
      resource,
      context: policyContext,
      run({ owner, PolicyArn: arn }, access) {
        serviceOf(access).attach(owner, arn)
        return undefined
      }
    }),
    iamOperation({
      name: `Detach${kind}Policy`,
      input: about({ PolicyArn: Arn }),
      resource,
      context: policyContext,
      run({ owner, PolicyArn: arn }, access) {
        serviceOf(access).detach(owner, arn)
        return undefined
      }
    }),
    iamOperation({
      name: `ListAttached${kind}Policies`,
      input: about({ ...PageInput, PathPrefix: PolicyPath.default('/') }),
      resource,
      run(input, access) {
        const attached = serviceOf(access)
          .listAttached(input.owner)
          .filter(({ path }) => path.startsWith(input.PathPrefix))
        const { items, next } = pageOfAll(`ListAttached${kind}Policies`, input, attached, ({ arn }) => arn)
        return { AttachedPolicies: items.map(({ name, arn }) => ({ PolicyName: name, PolicyArn: arn })), ...next }
      }
    }),
    iamOperation({
      name: `Tag${kind}`,
      input: about({ Tags }),
      resource,
      context: (input) => tagContext(input.Tags),
      run(input, access) {
        serviceOf(access).tag(input.owner, input.Tags)
        return undefined
      }
    }),
    iamOperation({
      name: `Untag${kind}`,
      input: about({ TagKeys }),
      resource,
      context: (input) => ({ 'aws:TagKeys': input.TagKeys }),
      run(input, access) {
        serviceOf(access).untag(input.owner, input.TagKeys)
        return undefined
      }
    }),
    iamOperation({
      name: `List${kind}Tags`,
      input: about(PageInput),
      resource,
      run(input, access) {
        const tags = tagItems(serviceOf(access).get(input.owner).tags)
        const { items, next } = pageOfAll(`List${kind}Tags`, input, tags, ({ Key }) => Key)
        return { Tags: items, ...next }
      }
    }),
    iamOperation({
      name: `Put${kind}PermissionsBoundary`,
      input: about({ PermissionsBoundary: Arn }),
      resource,
      context: ({ PermissionsBoundary }) => boundaryContext(PermissionsBoundary),
      run({ owner, PermissionsBoundary }, access) {
        serviceOf(access).setBoundary(owner, PermissionsBoundary)
        return undefined
      }
    }),
    iamOperation({
      name: `Delete${kind}PermissionsBoundary`,
      input: about({}),
      resource,
      run({ owner }, access) {
        serviceOf(access).setBoundary(owner, undefined)
        return undefined
      }
    })
  ]
}
