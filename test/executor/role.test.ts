import { createServer } from 'node:http'
import type { Pass, Platform } from '@hearth/executor'
import t from 'tap'
import { startExecutor, valueOf } from '../helpers/executor.ts'
import { eventually } from '../helpers/hearth.ts'

t.setTimeout(60_000)

/** What an instance keeps of its credentials beside its function's timeout before it is replaced. */
const MARGIN_MS = 60_000

interface TestPass extends Pass {
  good: boolean
}

/** Gives out credentials as long as it is told to, and answers at doors with the function's name. */
function platform() {
  const passes: TestPass[] = []
  const double = {
    passes,
    /** How long credentials can be used, in ms. */
    usableMs: 60_000,
    refuses: false,
    pass({ timeoutMs }) {
      if (double.refuses) throw new Error('no such role')
      const n = passes.length + 1
      const pass: TestPass = {
        accessKeyId: `key${n}`,
        secretAccessKey: `secret${n}`,
        sessionToken: `token${n}`,
        expiresAt: Date.now() + timeoutMs + MARGIN_MS + double.usableMs,
        good: true,
        isGood: () => pass.good
      }
      passes.push(pass)
      return pass
    },
    answer({ name }, door) {
      door.answer(createServer((_req, res) => res.end(name)))
    }
  } satisfies Platform & Record<string, unknown>
  return double
}

const SOURCE = `
exports.handler = async ({ wait }) => {
  if (wait) await new Promise((resolve) => setTimeout(resolve, wait))
  const { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token, AWS_ENDPOINT_URL: url } = process.env
  return { key, secret, token, heard: await (await fetch(url)).text() }
}`

t.test('an instance has credentials in its environment, and a door where it is known', async (t) => {
  const codeDir = t.testdir({ 'index.js': SOURCE })
  const box = await startExecutor(t, { platform: platform() })
  const [one, two] = [box.pool({ codeDir, name: 'one' }), box.pool({ codeDir, name: 'two', network: 'none' })]
  t.same(valueOf(await box.invoke(one)), { key: 'key1', secret: 'secret1', token: 'token1', heard: 'one' })
  t.same(valueOf(await box.invoke(two)), { key: 'key2', secret: 'secret2', token: 'token2', heard: 'two' })
  const elsewhere = box.pool({ codeDir, environment: { AWS_ENDPOINT_URL: 'data:,its own', AWS_SESSION_TOKEN: 'mine' } })
  t.match(valueOf(await box.invoke(elsewhere)), { token: 'token3', heard: 'its own' }, 'where it looks is its business')
})

t.test('no event is given to an instance whose credentials might end in it', async (t) => {
  const codeDir = t.testdir({ 'index.js': SOURCE })
  const roles = platform()
  const box = await startExecutor(t, { platform: roles })
  const pool = box.pool({ codeDir })
  const keyOf = async (event = {}) => (valueOf(await box.invoke(pool, event)) as { key: string }).key

  t.test('they are near their end', async (t) => {
    roles.usableMs = 3_000
    t.equal(await keyOf(), 'key1')
    t.equal(await keyOf(), 'key1')
    const running = keyOf({ wait: 3_200 })
    t.equal(await running, 'key1', 'an event that began in time runs to its end')
    t.same(await eventually(() => box.exits.length > 0 && box.exits), ['retired'])
    roles.usableMs = 60_000
    t.equal(await keyOf(), 'key2')
  })

  t.test('they were taken back', async (t) => {
    const running = keyOf({ wait: 300 })
    roles.passes[1]!.good = false
    t.equal(await keyOf(), 'key3', 'the next event')
    t.equal(await running, 'key2', 'what runs is left to find out')
    await eventually(() => box.exits.length === 2)
    t.same(box.exits, ['retired', 'retired'])
    roles.passes[2]!.good = false
    t.equal(await keyOf(), 'key4', 'an idle one')
  })

  t.test('there is none to be had', async (t) => {
    roles.passes[3]!.good = false
    roles.refuses = true
    t.match(await box.invoke(pool), { status: 'unavailable' })
    roles.refuses = false
    t.equal(await keyOf(), 'key5')
    roles.passes[4]!.good = false
    roles.usableMs = 0
    t.match(await box.invoke(pool), { status: 'unavailable' }, 'or only such that are of no use')
  })
})

t.test('provisioned instances are replaced before their credentials end', async (t) => {
  const codeDir = t.testdir({ 'index.js': SOURCE })
  const roles = platform()
  roles.usableMs = 3_000
  const box = await startExecutor(t, { platform: roles })
  const pool = box.pool({ codeDir })
  pool.provision(1)
  await eventually(() => pool.provisioned().available === 1)
  const first = roles.passes.length
  roles.usableMs = 60_000
  await eventually(() => box.exits.length === 1)
  t.equal(pool.provisioned().available, 1, 'it went when the other had come')
  t.ok(roles.passes.length > first)
  const outcome = await box.invoke(pool)
  t.equal(outcome.cold, false)
  t.match(valueOf(outcome), { key: `key${roles.passes.length}` })
})
