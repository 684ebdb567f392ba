export { createExecutor, type ExecutorOptions } from './executor.ts'
export { openRuntimeRegistry } from './runtimes/local.ts'
export type { RuntimeInfo, RuntimeRegistry } from './runtimes/registry.ts'
export type {
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
  ResponseSink,
  ResponseSource,
  RuntimeStats,
  Streamed
} from './types.ts'
