import { HearthError } from '@hearth/shared'
import type { OwnedPoliciesRepository, PolicyRef } from '@hearth/store'
import type { ManagedPolicies } from './managed-policies.ts'
import { checkDocument, checkInlineSize } from './policy-documents.ts'

/** The policies of users, or of roles, by the name of whom they belong to, who must be there. */
export interface PrincipalPoliciesService {
  listInline(owner: string): readonly { readonly name: string; readonly document: string }[]
  /** @throws HearthError POLICY_NOT_FOUND */
  getInline(owner: string, policy: string): string
  /** @throws HearthError MALFORMED_POLICY, LIMIT_EXCEEDED */
  putInline(owner: string, policy: string, document: string): void
  /** @throws HearthError POLICY_NOT_FOUND */
  removeInline(owner: string, policy: string): void
  /** In the order in which they were attached. */
  listAttached(owner: string): readonly AttachedPolicy[]
  /** @throws HearthError POLICY_NOT_FOUND, LIMIT_EXCEEDED, INVALID_REQUEST */
  attach(owner: string, policyArn: string): void
  /** @throws HearthError POLICY_NOT_FOUND when it is not attached */
  detach(owner: string, policyArn: string): void
  /** Makes these all that are attached. @throws as {@link PrincipalPoliciesService.attach} */
  setAttached(owner: string, policyArns: readonly string[]): void
  /** Makes these all inline policies. @throws HearthError MALFORMED_POLICY, LIMIT_EXCEEDED */
  setInline(owner: string, policies: Readonly<Record<string, string>>): void
}

export interface AttachedPolicy {
  readonly name: string
  readonly path: string
  readonly arn: string
}

export interface PrincipalPoliciesDeps {
  readonly kind: 'user' | 'role'
  readonly owned: OwnedPoliciesRepository
  readonly managed: ManagedPolicies
  /** @returns its unique id. @throws HearthError USER_NOT_FOUND, ROLE_NOT_FOUND */
  readonly idOf: (owner: string) => string
  readonly exclusively: <T>(work: () => T) => T
}

const MAX_ATTACHED = 10

export function createPrincipalPolicies({
  kind,
  owned,
  managed,
  idOf,
  exclusively
}: PrincipalPoliciesDeps): PrincipalPoliciesService {
  const notFound = (policy: string): HearthError =>
    new HearthError('POLICY_NOT_FOUND', `The ${kind} policy with name ${policy} cannot be found.`)

  const refuseTooMany = (): HearthError =>
    new HearthError(
      'LIMIT_EXCEEDED',
      `Cannot exceed quota for PoliciesPer${kind === 'user' ? 'User' : 'Role'}: ${MAX_ATTACHED}`
    )

  return {
    listInline: (owner) => owned.listInline(idOf(owner)),

    getInline(owner, policy) {
      const document = owned.findInline(idOf(owner), policy)
      if (document === undefined) throw notFound(policy)
      return document
    },

    putInline(owner, policy, document) {
      exclusively(() => {
        const id = idOf(owner)
        checkDocument(document, 'identity')
        const others = owned.listInline(id).filter(({ name }) => name !== policy)
        checkInlineSize(kind, owner, [document, ...others.map((other) => other.document)])
        owned.putInline(id, policy, document)
      })
    },

    removeInline(owner, policy) {
      if (!owned.removeInline(idOf(owner), policy)) throw notFound(policy)
    },

    listAttached: (owner) =>
      owned.listAttached(idOf(owner)).map((ref) => {
        const arn = managed.arnOf(ref)
        const name = arn.slice(arn.lastIndexOf('/') + 1)
        return { name, path: arn.slice(arn.indexOf('/'), arn.length - name.length), arn }
      }),

    attach(owner, policyArn) {
      exclusively(() => {
        const id = idOf(owner)
        const ref = managed.refToAttach(policyArn)
        const attached = owned.listAttached(id)
        if (attached.includes(ref)) return
        if (attached.length >= MAX_ATTACHED) throw refuseTooMany()
        owned.attach(id, ref)
      })
    },

    detach(owner, policyArn) {
      exclusively(() => {
        const id = idOf(owner)
        const ref = refOf(managed, owned.listAttached(id), policyArn)
        if (ref === undefined) throw new HearthError('POLICY_NOT_FOUND', `Policy ${policyArn} was not found.`)
        owned.detach(id, ref)
      })
    },

    setAttached(owner, policyArns) {
      exclusively(() => {
        const id = idOf(owner)
        const wanted = new Set(policyArns.map((arn) => managed.refToAttach(arn)))
        if (wanted.size > MAX_ATTACHED) throw refuseTooMany()
        for (const ref of owned.listAttached(id)) if (!wanted.has(ref)) owned.detach(id, ref)
        for (const ref of wanted) owned.attach(id, ref)
      })
    },

    setInline(owner, policies) {
      exclusively(() => {
        const id = idOf(owner)
        for (const document of Object.values(policies)) checkDocument(document, 'identity')
        checkInlineSize(kind, owner, Object.values(policies))
        for (const { name } of owned.listInline(id)) if (!Object.hasOwn(policies, name)) owned.removeInline(id, name)
        for (const [name, document] of Object.entries(policies)) owned.putInline(id, name, document)
      })
    }
  }
}

/** Of what is attached, also when it is a policy that this build no longer knows. */
function refOf(managed: ManagedPolicies, attached: readonly PolicyRef[], arn: string): PolicyRef | undefined {
  if (!arn.startsWith('arn:')) managed.get(arn)
  return attached.find((ref) => managed.arnOf(ref) === arn)
}
