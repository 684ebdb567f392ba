import Module from 'node:module'
import type { InitMessage } from '../../protocol.ts'

const TRACE_VARIABLE = '_X_AMZN_TRACE_ID'

/** Makes the environment, the working directory and the module paths those of the function. */
export function enterFunction(message: InitMessage): void {
  const { env } = message
  for (const name of Object.keys(process.env)) if (!Object.hasOwn(env, name)) Reflect.deleteProperty(process.env, name)
  for (const [name, value] of Object.entries(env)) process.env[name] = value
  process.chdir(message.taskRoot)
  applyNodePath()
}

/** Lets Node look at NODE_PATH again, which it does only when a thread starts. */
export function applyNodePath(): void {
  ;(Module as unknown as { _initPaths(): void })._initPaths()
}

/** Sets the X-Ray variable of each event; costs nothing when it does not change. */
export function createTraceSetter(): (traceId: string) => void {
  let present = ''
  return (traceId) => {
    if (traceId === present) return
    present = traceId
    if (traceId === '') Reflect.deleteProperty(process.env, TRACE_VARIABLE)
    else process.env[TRACE_VARIABLE] = traceId
  }
}

/** Whether the global `awslambda` is to be there. */
export function wantsAwslambda(): boolean {
  const value = process.env['AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA']
  return value !== '1' && value !== 'true'
}

/** Whether the function's author wants to hear that callbacks end with nodejs24.x. */
export function wantsCallbackWarning(): boolean {
  return process.env['AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING'] === undefined
}
