// Copies the Ruby runtime.
import { cpSync } from 'node:fs'
import path from 'node:path'

/** @param {{ source: string, target: string }} folders - this folder, and the one that sandboxes see at /var/runtime */
export async function build({ source, target }) {
  cpSync(path.join(source, 'bootstrap'), target, { recursive: true })
}
