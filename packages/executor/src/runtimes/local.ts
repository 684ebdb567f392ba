import { type NodeBinary, nodeLanguage } from './node/detect.ts'
import { bundledRuntimesDir, createRegistry, type RuntimeRegistry } from './registry.ts'

/**
 * The runtimes that this machine has. Each language adds one line.
 * @param node - The Node.js that the server itself runs on
 */
export function createRuntimeRegistry(node: NodeBinary): RuntimeRegistry {
  const folder = bundledRuntimesDir()
  return createRegistry([nodeLanguage([node], folder)])
}
