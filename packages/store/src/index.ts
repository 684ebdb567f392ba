export { type ArtifactStore, createArtifactStore, type Stage } from './artifact-store.ts'
export { codeDirOf, type DataLayout, dataLayout, makeDataDir } from './data-dir.ts'
export { openDirectory } from './directory.ts'
export { writeFileDurably } from './durable-file.ts'
export { createFunctionsRepository, type FunctionsRepository, LATEST } from './functions-repository.ts'
export { createKeysRepository, type KeysRepository } from './keys-repository.ts'
export {
  createLayersRepository,
  type LayerPolicy,
  type LayersRepository,
  type LayerVersion,
  type NewLayerVersion
} from './layers-repository.ts'
export { ensureMasterKey, readMasterKey } from './master-key.ts'
export { SCHEMA_VERSION, SchemaError } from './migrations.ts'
export { isWritable, lockDataDir, type OpenOptions, openStore } from './open.ts'
export { createSecretBox, type SecretBox, SecretBoxError } from './secret-box.ts'
export { AddonMismatchError, addonProblem, type Db, sqlitePackage } from './sqlite-addon.ts'
export type { DirectoryReader } from './types.ts'
