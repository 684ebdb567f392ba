// What this machine can enforce for functions.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** To be called after setup(): on a fresh clone the package is only built then. */
export async function inspectHere() {
  const { inspectMachine } = await import('../packages/sandbox/dist/index.js')
  const runDir = mkdtempSync(join(tmpdir(), 'hearth-doctor-'))
  try {
    return await inspectMachine({
      runDir,
      isolation: 'best-effort',
      serverId: `d${process.pid.toString(36)}`,
      networks: ['none', 'internet'],
      dns: [],
      log: (level, message, fields) => {
        if (level !== 'info') console.error(message, fields ?? '')
      }
    })
  } finally {
    rmSync(runDir, { recursive: true, force: true })
  }
}
