// Copies the Python runtime. Its compiled form is made when there is a Python: starting is a matter of milliseconds.
import { execFileSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import path from 'node:path'

/** @param {{ source: string, target: string }} folders - this folder, and the one that sandboxes see at /var/runtime */
export async function build({ source, target }) {
  cpSync(path.join(source, 'bootstrap'), target, { recursive: true, filter: (file) => !file.endsWith('__pycache__') })
  try {
    const options = ['-I', '-m', 'compileall', '-q', '--invalidation-mode', 'unchecked-hash', target]
    execFileSync('python3', options, { stdio: 'ignore' })
  } catch {
    // Each start compiles, then.
  }
}
