import type { Verdict } from '../guard.ts'

type Refused = Extract<Verdict, { isAllowed: false }>

/** As API Gateway answers. */
export const UNAUTHORIZED: Refused = { isAllowed: false, status: 401, message: 'Unauthorized' }
export const FORBIDDEN: Refused = { isAllowed: false, status: 403, message: 'Forbidden' }
export const TOO_MANY: Refused = { isAllowed: false, status: 429, message: 'Too Many Requests' }
export const OVER_QUOTA: Refused = { isAllowed: false, status: 429, message: 'Limit Exceeded' }
export const FAILED: Refused = { isAllowed: false, status: 500, message: 'Internal Server Error' }
