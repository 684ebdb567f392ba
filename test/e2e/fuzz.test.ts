// A short run of test/chaos/fuzz.ts.
import t from 'tap'
import { fuzz } from '../helpers/fuzz.ts'
import { prepareFuzz } from '../helpers/fuzz-target.ts'
import { startHearth } from '../helpers/hearth.ts'

const hearth = await startHearth()
t.teardown(() => hearth.stop())

t.test('changed requests break nothing, and none is taken for what it was', async (t) => {
  const seed = 7
  const { byStatus, wrong } = await fuzz(await prepareFuzz(hearth), seed, 2_000, 16)
  t.strictSame(wrong.slice(0, 10), [], `seed ${seed}`)
  t.ok((byStatus['200'] ?? 0) > 100, 'those that nobody changed are right')
  t.ok((byStatus['403'] ?? 0) > 500, JSON.stringify(byStatus))
  t.notMatch(hearth.output(), /"level":(50|60)/)
})
