import t from 'tap'
import { runAttacks } from './run-attacks.ts'
import { openWorld } from './world.ts'

const isRoot = process.getuid?.() === 0

// A minute and a quarter where nothing else runs; machines may be busy.
t.setTimeout(240_000)

t.test(
  'a server of root with strict isolation stops every attack',
  { skip: !isRoot && 'not root', timeout: 230_000 },
  async (t) => {
    const world = await openWorld(undefined)
    t.teardown(() => world.close())
    await runAttacks(t, world)
  }
)
