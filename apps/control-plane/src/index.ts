export { buildApp, type Deps } from './app.ts'
export { type ControlPlaneOptions, openControlPlane } from './control-plane.ts'
export { compatibilityDocument } from './lambda-api/compatibility.ts'
