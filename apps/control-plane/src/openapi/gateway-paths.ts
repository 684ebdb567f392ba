import { entrancePaths } from './entrance-paths.ts'
import { invocationPaths } from './invocation-paths.ts'
import { systemPaths } from './system-paths.ts'
import { triggerPaths } from './trigger-paths.ts'

/**
 * The paths that the gateway serves itself, for the one description of both at /openapi.json. They are not routes of
 * this process: a call that reached it would be answered 404.
 */
export const gatewayPaths = { ...invocationPaths, ...triggerPaths, ...entrancePaths, ...systemPaths } as const
