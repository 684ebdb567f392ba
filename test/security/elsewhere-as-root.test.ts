import t from 'tap'
import { runElsewhere } from './run-elsewhere.ts'
import { openWorld } from './world.ts'

const isRoot = process.getuid?.() === 0

// A minute where nothing else runs; many compilers and virtual machines start here, on machines that may be busy.
t.setTimeout(240_000)

t.test(
  'a server of root with strict isolation stops every attack in every other runtime’s sandbox',
  { skip: !isRoot && 'not root', timeout: 230_000 },
  async (t) => {
    const world = await openWorld(undefined)
    t.teardown(() => world.close())
    await runElsewhere(t, world)
  }
)
