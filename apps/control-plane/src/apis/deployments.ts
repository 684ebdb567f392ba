import type { ApiDeployment } from '@hearth/shared'
import { z } from 'zod'
import { type Drafts, orNone } from './drafts.ts'
import { Description, isoSeconds } from './model.ts'
import { badRequest } from './refusals.ts'

export const CreateDeploymentInput = z.strictObject({
  description: Description.optional(),
  stageName: z.string().max(128).optional()
})
export const UpdateDeploymentInput = z.strictObject({ description: Description.optional() })

/** The draft as it was at some time. */
export interface Deployments {
  create(apiId: string, input: z.output<typeof CreateDeploymentInput>): ApiDeployment
  update(apiId: string, id: string, change: z.output<typeof UpdateDeploymentInput>): ApiDeployment
  /** @throws HearthError INVALID_REQUEST while a stage serves it */
  remove(apiId: string, id: string): void
}

export function createDeployments(drafts: Drafts): Deployments {
  const { repository, now, exclusively } = drafts
  return {
    create: (apiId, { description, stageName }) =>
      exclusively(() => {
        drafts.get(apiId)
        drafts.requireRoom(apiId, 'deployment')
        const stage = orNone(stageName) === undefined ? undefined : drafts.part(apiId, 'stage', stageName!)
        if (stage?.autoDeploy === true) {
          throw badRequest(`Stage ${stage.name} has auto-deploy: it serves what the API is now.`, 'stageName')
        }
        const draft = drafts.snapshot(apiId)
        if (draft.routes.length === 0) throw badRequest('At least one route is required before deploying the Api.')
        const createdAt = now().getTime()
        const id = drafts.newPartId()
        const deployment = { ...draft, id, description: orNone(description), autoDeployed: false, createdAt }
        repository.putPart(apiId, 'deployment', deployment)
        if (stage !== undefined) {
          repository.putPart(apiId, 'stage', { ...stage, deploymentId: id, modifiedAt: createdAt })
          repository.removeUnusedDeployments(apiId)
        }
        return deployment
      }),
    update: (apiId, id, { description }) =>
      exclusively(() => {
        const before = drafts.part(apiId, 'deployment', id)
        if (description === undefined) return before
        const deployment = { ...before, description: orNone(description) }
        repository.putPart(apiId, 'deployment', deployment)
        return deployment
      }),
    remove: (apiId, id) => {
      exclusively(() => {
        drafts.part(apiId, 'deployment', id)
        if (drafts.all(apiId, 'stage').some(({ deploymentId }) => deploymentId === id)) {
          throw badRequest('Active stages pointing to this deployment must be moved or deleted')
        }
        repository.removePart(apiId, 'deployment', id)
      })
    }
  }
}

export function deploymentView({ id, description, autoDeployed, createdAt }: ApiDeployment): object {
  return {
    autoDeployed,
    createdDate: isoSeconds(createdAt),
    deploymentId: id,
    deploymentStatus: 'DEPLOYED',
    description
  }
}
