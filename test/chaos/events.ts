// A longer run of what test/e2e/async-crash.test.ts does: node test/dist/chaos/events.js [events] [kills]
import { crashRun, deployForCrash } from '../helpers/event-crash.ts'
import { startHearth } from '../helpers/hearth.ts'

const [events = 50_000, kills = 10] = process.argv.slice(2).map(Number)
const hearth = await startHearth()
try {
  await deployForCrash(hearth)
  const config = await hearth.request('/v1/functions/work/event-invoke-config', {
    method: 'PUT',
    body: JSON.stringify({ onSuccess: { arn: 'arn:aws:lambda:us-east-1:000000000000:function:sink' } })
  })
  if (!config.ok) throw new Error(await config.text())
  const startedAt = performance.now()
  const result = await crashRun(hearth, { events, clients: 64, kills, patienceMs: 1_800_000 })
  const seconds = (performance.now() - startedAt) / 1_000
  console.log(JSON.stringify({ ...result, kills, seconds: Number(seconds.toFixed(1)) }))
  if (result.accepted < events || result.lost + result.again + result.untold + result.changed + result.resumed > 0)
    process.exitCode = 1
} finally {
  await hearth.stop()
}
