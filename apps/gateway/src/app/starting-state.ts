import { type Authenticator, type Authorizer, HearthError } from '@hearth/shared'
import type { Directory } from '../directory.ts'

/** What of the hallway comes with the database. */
export interface DatabaseState {
  directory: Directory
  authenticator: Authenticator
  access: Authorizer
}

/** What stands there until then: every call is refused as one to come back with. */
export function startingState(): DatabaseState {
  const refuseAll = (): never => {
    throw new HearthError('CONTROL_PLANE_UNAVAILABLE', 'The server is starting: its database is not there yet.')
  }
  return {
    directory: {
      refresh: () => undefined,
      find: refuseAll,
      counters: () => [],
      provisioned: () => [],
      kept: () => [],
      generation: () => 0,
      close: () => undefined
    },
    authenticator: { authenticate: refuseAll, open: refuseAll, authenticateHead: refuseAll, setKeys: () => undefined },
    access: {
      require: refuseAll,
      refuseDenied: refuseAll,
      requireTrust: refuseAll,
      mayFunction: refuseAll,
      mayService: refuseAll,
      isRevoked: () => true,
      forget: () => undefined
    }
  }
}
