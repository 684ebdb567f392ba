// Prints what this machine can enforce for functions; exits with 1 when `HEARTH_ISOLATION=strict` would refuse to start.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runScript, setup } from './setup.mjs'

await runScript(async () => {
  setup()
  // Not before: on a fresh clone it is only built now.
  const { inspectMachine } = await import('../packages/sandbox/dist/index.js')
  const runDir = mkdtempSync(join(tmpdir(), 'hearth-doctor-'))
  try {
    const features = await inspectMachine({
      runDir,
      isolation: 'best-effort',
      serverId: `d${process.pid.toString(36)}`,
      networks: ['none', 'internet'],
      dns: [],
      log: (level, message, fields) => {
        if (level !== 'info') console.error(message, fields ?? '')
      }
    })
    const rows = features.map(({ feature, how, enforced, required, remedy }) => [
      feature,
      how,
      enforced ? 'yes' : required ? 'NO' : 'no (strict does without)',
      remedy ?? ''
    ])
    printTable([['feature', 'how', 'enforced', 'remedy'], ...rows])
    const missing = features.filter(({ required, enforced }) => required && !enforced)
    if (missing.length > 0) {
      console.log(
        `\nHEARTH_ISOLATION=strict refuses to start here: ${missing.map(({ feature }) => feature).join(', ')}`
      )
      process.exitCode = 1
    } else {
      console.log('\nHEARTH_ISOLATION=strict starts here.')
    }
  } finally {
    rmSync(runDir, { recursive: true, force: true })
  }
})

function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd()
    )
}
