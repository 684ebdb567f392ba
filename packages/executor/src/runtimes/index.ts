/** What is known of runtimes without running anything: for whoever takes functions in. */
export { openRuntimeRegistry } from './local.ts'
export { foreignCode } from './native-code.ts'
export type { RuntimeInfo, RuntimeRegistry } from './registry.ts'
export type { Findings, Language, PackageView, SourceRule } from './runtime.ts'
