export { type Builder, type BuildRequest, type BuildResult, buildHostIdentity, createBuilder } from './builder.ts'
export { type Assessment, assess, type BuildPlan, languageOfBuildFiles } from './plan.ts'
export type { Interpreter, PackageFiles } from './types.ts'
