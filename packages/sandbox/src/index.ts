export { DOOR_PORT, type Door } from './door.ts'
export { inspectMachine, openSandboxHost } from './host.ts'
export { CALLS_OF_FUNCTIONS } from './seccomp.ts'
export { defaultRunDir, serverIdOf } from './server-identity.ts'
export type {
  Assignment,
  Feature,
  Isolation,
  Mount,
  Sandbox,
  SandboxExit,
  SandboxHost,
  SandboxHostOptions,
  SandboxSpec
} from './types.ts'
export { SandboxUnavailableError } from './unavailable.ts'
export { whenClosed } from './when-closed.ts'
