export { createExecutor, type ExecutorOptions } from './executor.ts'
export { createRuntimeRegistry } from './runtimes/local.ts'
export type { RuntimeRegistry } from './runtimes/registry.ts'
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
  RuntimeInfo,
  RuntimeStats
} from './types.ts'
