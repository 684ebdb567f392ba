import { toConfiguration } from './configuration-view.ts'
import { targetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §5, GetFunction */
export const getFunction: Operation = {
  name: 'GetFunction',
  method: 'GET',
  path: '/2015-03-31/functions/:name',

  run(call, deps) {
    const { name, qualifier } = targetOf(call, deps)
    const record = deps.service.get(name, qualifier)
    return {
      status: 200,
      body: {
        Configuration: toConfiguration(record, deps.scope, qualifier),
        Code: { RepositoryType: 'S3', Location: call.origin + deps.links.sign(name, record.version) },
        ...(Object.keys(record.tags).length === 0 ? {} : { Tags: record.tags }),
        ...(record.reservedConcurrency === undefined
          ? {}
          : { Concurrency: { ReservedConcurrentExecutions: record.reservedConcurrency } })
      }
    }
  }
}
