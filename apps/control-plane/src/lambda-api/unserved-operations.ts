import { HearthError } from '@hearth/shared'
import { API_AREAS, GATEWAY_OPERATIONS } from './catalogue.ts'
import type { Operation } from './operation.ts'

/**
 * The operations of the API that nothing serves, each as one that says so: 501 with a message that SDKs show and do not
 * retry. Nothing of the request is looked at, so no answer of theirs can be taken for one about a function.
 *
 * @param served - Those that this process serves.
 * @see docs/adr/0013-unsupported-operations.md
 */
export function unservedOperations(served: readonly Operation[]): readonly Operation[] {
  const known = new Set([...served.map(({ name }) => name), ...Object.keys(GATEWAY_OPERATIONS)])
  return API_AREAS.flatMap(({ operations, missing = 'it is not there yet' }) =>
    Object.entries(operations)
      .filter(([name]) => !known.has(name))
      .map(([name, route]) => {
        const [method, path = ''] = route.split(' ')
        return {
          name,
          method: method as Operation['method'],
          path: path.replaceAll(/\{(\w+)\}/g, (_text, member: string) => `:${member}`),
          run() {
            throw new HearthError('NOT_IMPLEMENTED', `${name} is not supported by this server: ${missing}.`)
          }
        }
      })
  )
}
