import { z } from 'zod'
import { checkModel } from './constraints.ts'
import { targetOf } from './function-target.ts'
import { oneOf } from './layer-target.ts'
import type { Operation } from './operation.ts'

/** Source: Lambda service model, type NamespacedStatementId. */
const Path = z.object({
  StatementId: z
    .string()
    .min(1)
    .max(100)
    .regex(/^([a-zA-Z0-9-_.]+)$/)
})

/** @see reference: Lambda control API §7 */
export const removePermission: Operation = {
  name: 'RemovePermission',
  method: 'DELETE',
  path: '/2015-03-31/functions/:name/policy/:statement',

  run(call, deps) {
    const { StatementId } = checkModel(Path, { StatementId: call.params['statement'] })
    deps.permissions.remove(targetOf(call, deps), StatementId, oneOf(call.query['RevisionId']))
    return { status: 204 }
  }
}
