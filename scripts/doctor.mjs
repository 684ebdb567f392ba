// Prints what this machine can enforce for functions; exits with 1 when `HEARTH_ISOLATION=strict` would refuse to start.
import { inspectHere } from './inspect-here.mjs'
import { runScript, setup } from './setup.mjs'

await runScript(async () => {
  setup()
  const features = await inspectHere()
  const rows = features.map(({ feature, how, enforced, required, remedy }) => [
    feature,
    how,
    enforced ? 'yes' : required ? 'NO' : 'no (strict does without)',
    remedy ?? ''
  ])
  printTable([['feature', 'how', 'enforced', 'remedy'], ...rows])
  const missing = features.filter(({ required, enforced }) => required && !enforced)
  if (missing.length > 0) {
    console.log(`\nHEARTH_ISOLATION=strict refuses to start here: ${missing.map(({ feature }) => feature).join(', ')}`)
    process.exitCode = 1
  } else {
    console.log('\nHEARTH_ISOLATION=strict starts here.')
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
