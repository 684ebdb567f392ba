// A longer run of what test/e2e/fuzz.test.ts does: node test/dist/chaos/fuzz.js [requests] [seed]
import { fuzz } from '../helpers/fuzz.ts'
import { prepareFuzz } from '../helpers/fuzz-target.ts'
import { startHearth } from '../helpers/hearth.ts'

const [requests = 100_000, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number)
console.log(`seed ${seed}`)
const hearth = await startHearth()
try {
  const startedAt = performance.now()
  const { byStatus, wrong } = await fuzz(await prepareFuzz(hearth), seed, requests, 32)
  const seconds = Number(((performance.now() - startedAt) / 1_000).toFixed(1))
  console.log(JSON.stringify({ requests, seed, seconds, byStatus, wrong: wrong.length }))
  for (const one of wrong.slice(0, 40)) console.log(one)
  const errors = hearth
    .output()
    .split('\n')
    .filter((line) => /"level":(50|60)/.test(line))
  for (const line of errors.slice(0, 20)) console.log(line)
  if (wrong.length + errors.length > 0) process.exitCode = 1
} finally {
  await hearth.stop()
}
