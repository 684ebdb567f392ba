import { HearthError } from '@hearth/shared'
import { policyDocument } from '../functions/statements.ts'
import { targetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §7 */
export const getPolicy: Operation = {
  name: 'GetPolicy',
  method: 'GET',
  path: '/2015-03-31/functions/:name/policy',

  run(call, deps) {
    const policy = deps.permissions.find(targetOf(call, deps))
    if (policy === undefined) {
      throw new HearthError('POLICY_NOT_FOUND', 'The resource you requested does not exist.')
    }
    return {
      status: 200,
      body: { Policy: JSON.stringify(policyDocument(policy)), RevisionId: policy.revisionId }
    }
  }
}
