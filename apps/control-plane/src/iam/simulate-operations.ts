import {
  contextKeys,
  type Decision,
  evaluate,
  HearthError,
  type Policies,
  type Policy,
  type PolicyCaller,
  type PolicyRequest,
  type PolicyText,
  type PrincipalPolicies,
  parseCaller,
  parsePolicy
} from '@hearth/shared'
import { z } from 'zod'
import type { Access } from '../access/access.ts'
import { nameInArn } from '../access/names.ts'
import type { XmlValue } from '../query/xml.ts'
import { type IamOperation, iamOperation } from './operation.ts'
import { pageOfAll } from './pages.ts'
import { Arn, Document, PageInput } from './parameters.ts'

const SOURCE_TYPES = {
  identity: 'IAM Policy',
  boundary: 'IAM Policy',
  session: 'IAM Policy',
  resource: 'Resource Policy'
}

const list = <Item extends z.ZodType>(item: Item) =>
  z.preprocess((value) => (value === '' ? [] : value), z.array(item).max(100))

const Simulation = z.object({
  ...PageInput,
  PolicyInputList: list(Document).default([]),
  PermissionsBoundaryPolicyInputList: list(Document).default([]),
  ActionNames: list(
    z
      .string()
      .min(3)
      .max(128)
      .regex(/^[A-Za-z0-9-]+:[A-Za-z0-9]+$/)
  ),
  ResourceArns: list(z.string().min(1).max(2_048)).default(['*']),
  ResourcePolicy: Document.optional(),
  CallerArn: z.string().min(1).max(2_048).optional(),
  ContextEntries: list(
    z.object({ ContextKeyName: z.string().min(5).max(256), ContextKeyValues: list(z.string()).default([]) })
  ).default([])
})

export const simulateOperations: readonly IamOperation[] = [
  iamOperation({
    name: 'SimulatePrincipalPolicy',
    note: 'without the positions of statements',
    input: Simulation.extend({ PolicySourceArn: Arn }),
    resource: ({ PolicySourceArn: arn }) => arn,
    run(input, access) {
      const { PolicySourceArn: arn } = input
      const source = sourceOf(arn, access)
      const caller = callerOf(input.CallerArn ?? arn, access)
      return simulate(input, caller, access, source)
    }
  }),
  iamOperation({
    name: 'SimulateCustomPolicy',
    note: 'without the positions of statements',
    input: Simulation,
    resource: () => '*',
    run: (input, access) =>
      simulate(
        input,
        input.CallerArn === undefined
          ? {
              type: 'user',
              arn: `arn:aws:iam::${access.scope.accountId}:user/simulated`,
              accountId: access.scope.accountId
            }
          : callerOf(input.CallerArn, access),
        access,
        { policies: [], boundary: undefined }
      )
  })
]

/** @throws HearthError USER_NOT_FOUND, ROLE_NOT_FOUND, INVALID_REQUEST */
function sourceOf(arn: string, { lookup, scope, users, roles }: Access): PrincipalPolicies {
  const user = nameInArn(arn, scope.accountId, 'user')
  if (user !== undefined) return lookup.findUser(user) ?? (users.get(user), { policies: [], boundary: undefined })
  const role = nameInArn(arn, scope.accountId, 'role')
  if (role !== undefined) return lookup.findRole(role) ?? (roles.get(role), { policies: [], boundary: undefined })
  throw new HearthError('INVALID_REQUEST', `Invalid Entity Arn: ${arn} does not clearly define entity type and name.`, {
    awsCode: 'InvalidInput'
  })
}

/** A role acts by a session of it. @throws HearthError INVALID_REQUEST */
function callerOf(arn: string, { scope }: Access): PolicyCaller {
  const role = nameInArn(arn, scope.accountId, 'role')
  const caller =
    role === undefined
      ? parseCaller(arn)
      : parseCaller(`arn:aws:sts::${scope.accountId}:assumed-role/${role}/simulation`, arn)
  if (caller !== undefined) return caller
  throw new HearthError('INVALID_REQUEST', `Invalid CallerArn: ${arn}`, { awsCode: 'InvalidInput' })
}

function simulate(
  input: z.output<typeof Simulation>,
  caller: PolicyCaller,
  { scope }: Access,
  source: PrincipalPolicies
) {
  const given = (documents: readonly string[], name: string): PolicyText[] =>
    documents.map((document, i) => ({ name: `${name}.${i + 1}`, document }))
  const read = ({ name, document }: PolicyText, kind: Policy['kind']): Policy => parsePolicy(document, kind, name)
  const [boundary] = [
    ...given(input.PermissionsBoundaryPolicyInputList, 'PermissionsBoundaryPolicyInputList'),
    source.boundary
  ]
  const policies: Policies = {
    identity: [...source.policies, ...given(input.PolicyInputList, 'PolicyInputList')].map((one) =>
      read(one, 'identity')
    ),
    ...(boundary === undefined ? {} : { boundary: read(boundary, 'identity') }),
    ...(input.ResourcePolicy === undefined
      ? {}
      : { resource: read({ name: 'ResourcePolicy', document: input.ResourcePolicy }, 'resource') })
  }
  const keys = contextKeys(
    Object.fromEntries(
      input.ContextEntries.map(({ ContextKeyName, ContextKeyValues }) => [ContextKeyName, ContextKeyValues])
    )
  )
  const asked = input.ActionNames.flatMap((action) => input.ResourceArns.map((resource) => ({ action, resource })))
  const numbers = new Map(asked.map((one, i) => [one, String(i)]))
  const { items, next } = pageOfAll('Simulate', input, asked, (one) => numbers.get(one) ?? '')
  const EvaluationResults = items.map(({ action, resource }) => {
    const resourceAccount = /^\d{12}$/.exec(resource.split(':')[4] ?? '')?.[0] ?? scope.accountId
    return resultOf(evaluate(policies, { caller, action, resource, resourceAccount, keys }), { action, resource })
  })
  return { EvaluationResults, ...next }
}

function resultOf(decision: Decision, { action, resource }: Pick<PolicyRequest, 'action' | 'resource'>): XmlValue {
  const { reason, by } = decision
  return {
    EvalActionName: action,
    EvalResourceName: resource,
    EvalDecision: decision.allowed ? 'allowed' : decision.explicit ? 'explicitDeny' : 'implicitDeny',
    MatchedStatements:
      reason === undefined || by === 'root'
        ? []
        : [{ SourcePolicyId: reason.policy, SourcePolicyType: SOURCE_TYPES[by] }],
    MissingContextValues: []
  }
}
