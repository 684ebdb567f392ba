export { buildApp, type Deps } from './app.ts'
export { openControlPlane } from './control-plane.ts'
export type { ControlPlaneOptions } from './control-plane-options.ts'
export { compatibilityDocument } from './lambda-api/compatibility.ts'
