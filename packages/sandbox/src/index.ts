export { inspectMachine, openSandboxHost } from './host.ts'
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
