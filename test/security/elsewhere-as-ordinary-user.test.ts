import t from 'tap'
import { runElsewhere } from './run-elsewhere.ts'
import { openWorld } from './world.ts'

/** Any id that is nobody's. */
const UID = 12_345

// A minute where nothing else runs; many compilers and virtual machines start here, on machines that may be busy.
t.setTimeout(240_000)

t.test(
  'a server of an ordinary user stops every attack in every other runtime’s sandbox',
  { timeout: 230_000 },
  async (t) => {
    const world = await openWorld(process.getuid?.() === 0 ? UID : undefined)
    t.teardown(() => world.close())
    await runElsewhere(t, world)
  }
)
