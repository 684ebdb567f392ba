import type { Guard } from '../apis/guard.ts'

/** Stands where authorizers and API keys are not served yet: what would have to ask them lets nobody in. */
export const NO_GUARD: Guard = {
  check({ route }, done) {
    if (route.authorization === 'CUSTOM' || route.apiKeyRequired) {
      done({ isAllowed: false, status: 500, message: 'Internal server error' })
    } else done({ isAllowed: true, authorizer: undefined })
  }
}
