import t from 'tap'
import { runAttacks } from './run-attacks.ts'
import { openWorld } from './world.ts'

/** Any id that is nobody's. */
const UID = 12_345

// A minute and a quarter where nothing else runs; machines may be busy.
t.setTimeout(240_000)

t.test('a server of an ordinary user stops every attack', { timeout: 230_000 }, async (t) => {
  const world = await openWorld(process.getuid?.() === 0 ? UID : undefined)
  t.teardown(() => world.close())
  await runAttacks(t, world)
})
