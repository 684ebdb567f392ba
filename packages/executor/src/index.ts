export { availableMemory, memoryCapacity } from './available-memory.ts'
export { createExecutor, type ExecutorOptions } from './executor.ts'
export type { Pass, Platform } from './platform.ts'
export { openRuntimeRegistry } from './runtimes/local.ts'
export type { RuntimeInfo, RuntimeRegistry } from './runtimes/registry.ts'
export type {
  ConcurrencyStats,
  Executor,
  ExecutorEvents,
  ExecutorStats,
  FunctionPool,
  FunctionSpec,
  Invocation,
  LogSink,
  Outcome,
  OutcomeStatus,
  Phases,
  ProvisionedStats,
  ResolvedEnvironment,
  ResponseSink,
  ResponseSource,
  RuntimeStats,
  Streamed,
  ThrottleReason
} from './types.ts'
