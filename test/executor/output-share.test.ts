// The instances of a function are slowed together when they write more than one function may, and nobody else is.
import t from 'tap'
import { startExecutor, valueOf } from '../helpers/executor.ts'

const RATE = 400_000
const SOURCE = `
const line = 'x'.repeat(999)
export const handler = async ({ lines, ms = 0 }) => {
  for (let n = 0; n < lines; n++) console.log(line)
  await new Promise((resolve) => setTimeout(resolve, ms))
  return Date.now()
}
`

t.test('four instances of a function share its rate; a fifth and another function are not slowed', async (t) => {
  const paused: { functionName: string; ms: number }[] = []
  const {
    pool: open,
    invoke,
    lines
  } = await startExecutor(t, {
    functionOutputBytesPerSecond: RATE,
    events: { outputPaused: (functionName, ms) => paused.push({ functionName, ms }) }
  })
  const codeDir = t.testdir({ 'index.mjs': SOURCE })
  const pool = open({ codeDir, name: 'floods' })
  const other = open({ codeDir, name: 'other' })
  // Five instances, so that none is started beside the flood.
  await Promise.all(Array.from({ length: 5 }, () => invoke(pool, { lines: 0, ms: 200 })))
  await invoke(other, { lines: 0 })

  const startedAt = performance.now()
  let ended = 0
  const floods = Array.from({ length: 4 }, () =>
    invoke(pool, { lines: 500 }).finally(() => {
      ended++
    })
  )
  // More than half has come, so what may come at once is used up.
  while (lines.length < 1_200) await new Promise((resolve) => setImmediate(resolve))
  t.equal(typeof valueOf(await invoke(pool, { lines: 1 })), 'number')
  t.equal(typeof valueOf(await invoke(other, { lines: 500 })), 'number', 'it has a rate of its own')
  t.ok(ended < 4, 'the flood goes on meanwhile')
  for (const outcome of await Promise.all(floods)) t.equal(outcome.status, 'ok')
  const elapsedMs = performance.now() - startedAt
  // 2,000 lines are 2.2 MB as they are counted; 0.8 MB may come at once. Without a bound it takes a tenth of this.
  t.ok(elapsedMs > 1_000, `${elapsedMs.toFixed(0)} ms`)
  t.ok(paused.length > 0 && paused.every(({ functionName, ms }) => functionName === 'floods' && ms > 0), 'it is told')
  t.equal(lines.filter(({ text }) => text.includes('xxxx')).length, 4 * 500 + 1 + 500, 'no line is lost')
})
