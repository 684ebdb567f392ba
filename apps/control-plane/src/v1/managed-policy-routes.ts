import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Access } from '../access/access.ts'
import type { ManagedPolicies, ManagedPolicy } from '../access/managed-policies.ts'
import { noticesOf } from '../access/policy-notices.ts'
import { managedPolicyArn } from '../access/route-resource.ts'
import {
  OwnPolicyParams,
  PolicyBody,
  PolicyListQuery,
  PolicyParams,
  PolicySummaryList,
  PolicyView
} from './access-schemas.ts'
import { parseBody } from './json-body.ts'
import { inPlace, objectOf, textOf } from './policy-text.ts'
import { refuseOtherPath, tagList } from './principal-settings.ts'

const tags = ['access']

/** Managed policies: what can be attached to several users and roles. Mounted under `/v1/policies`. */
export const managedPolicyRoutes: FastifyPluginAsyncZod<{ readonly access: Access }> = async (app, { access }) => {
  const { managed } = access
  app.get(
    '/',
    {
      schema: {
        operationId: 'listPolicies',
        summary: 'List policies by name',
        tags,
        querystring: PolicyListQuery,
        response: { 200: PolicySummaryList }
      }
    },
    async (request) => ({ items: managed.list(request.query.scope).map(toSummary) })
  )

  app.put(
    '/:policy',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'putPolicy',
        summary: 'Create a policy, or give it another document',
        description:
          'Another document becomes a new version, which counts at once; the oldest goes when there are five. A document that is the same makes none.',
        tags,
        params: OwnPolicyParams,
        body: PolicyBody,
        response: { 200: PolicyView.describe('Changed'), 201: PolicyView.describe('Created') }
      }
    },
    async (request, reply) => {
      const name = request.params.policy
      const { body } = request
      request.requireAccess({ action: 'hearth:PutPolicy', resource: managedPolicyArn(access, name, body.path) })
      const document = textOf(body.document)
      const { created, arn } = access.exclusively(() => {
        const before = managed.findByName(name)
        if (before === undefined) {
          const added = {
            name,
            document,
            path: body.path,
            description: body.description,
            tags: tagList(body.tags ?? {})
          }
          return { created: true, arn: inPlace('body.document', () => managed.create(added)).arn }
        }
        refuseOtherPath(name, before.path, body.path)
        if (managed.getVersion(before.arn, before.versionId).document !== document) {
          inPlace('body.document', () => managed.replace(before.arn, document))
        }
        managed.untag(before.arn, Object.keys(before.tags))
        managed.tag(before.arn, tagList(body.tags ?? {}))
        return { created: false, arn: before.arn }
      })
      request.log.info({ policy: name, created }, 'policy written')
      void reply.code(created ? 201 : 200)
      return toPolicyView(managed.get(arn), managed)
    }
  )

  app.get(
    '/:policy',
    {
      schema: {
        operationId: 'getPolicy',
        summary: 'Get a policy with its document',
        tags,
        params: PolicyParams,
        response: { 200: PolicyView }
      }
    },
    async (request) => toPolicyView(managed.get(arnOf(request.params.policy, managed)), managed)
  )

  app.delete(
    '/:policy',
    {
      schema: {
        operationId: 'deletePolicy',
        summary: 'Delete a policy with its versions',
        description: 'Refused with 409 while a user or role has it.',
        tags,
        params: PolicyParams,
        response: { 204: z.undefined().describe('Deleted') }
      }
    },
    async (request, reply) => {
      managed.removeWithVersions(arnOf(request.params.policy, managed))
      request.log.info({ policy: request.params.policy }, 'policy deleted')
      return reply.code(204).send()
    }
  )
}

/** One that is not there has the ARN that it would have. */
function arnOf(policy: string, managed: ManagedPolicies): string {
  return policy.startsWith('arn:') ? policy : managed.arnOf(policy)
}

function toSummary(policy: ManagedPolicy) {
  return {
    name: policy.name,
    arn: policy.arn,
    path: policy.path,
    policyId: policy.policyId,
    description: policy.description ?? '',
    version: policy.versionId,
    attachments: policy.attachments,
    boundaries: policy.boundaries,
    tags: policy.tags,
    createdAt: policy.createdAt,
    updatedAt: policy.updatedAt
  }
}

function toPolicyView(policy: ManagedPolicy, managed: ManagedPolicies): z.input<typeof PolicyView> {
  const { document } = managed.getVersion(policy.arn, policy.versionId)
  return {
    ...toSummary(policy),
    document: objectOf(document),
    notices: [...noticesOf(document)],
    versions: managed.listVersions(policy.arn).map(({ versionId, createdAt }) => ({ version: versionId, createdAt }))
  }
}
