import type { Guard } from './guard.ts'

/** Lets nobody in: routes with an authorizer or an API key are closed as long as nothing looks at these. */
export const PENDING_GUARD: Guard = {
  check(_request, done) {
    done({ isAllowed: false, status: 500, message: 'Internal Server Error' })
  }
}
