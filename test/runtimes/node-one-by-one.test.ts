import path from 'node:path'
import { bundledRuntimesDir } from '@hearth/executor/internal/runtimes/local'
import { nodeLanguage } from '@hearth/executor/internal/runtimes/node/language'
import { createRegistry } from '@hearth/executor/internal/runtimes/registry'
import t, { type Test } from 'tap'
import { invokeFrame, type Message, NodeProcess, requestIdOf } from './node-process.ts'

async function start(t: Test, handler = 'counter.handler'): Promise<NodeProcess> {
  const node = new NodeProcess()
  t.teardown(() => node.close())
  const first = await node.init({ handler })
  t.equal(first.kind, 'init_ok', first.text)
  return node
}

function frames(events: readonly object[], from = 1): Buffer[] {
  return events.map((event, i) => invokeFrame(from + i, JSON.stringify(event)))
}

/** Kinds and sequence numbers in the order in which they came, after INIT_OK. */
function order(node: NodeProcess): string[] {
  const answers = node.messages.filter((m) => m.kind === 'result' || m.kind === 'error' || m.kind === 'returned')
  return answers.map((m) => `${m.kind} ${m.seq}`)
}

function counts(messages: readonly Message[]): unknown[] {
  return messages.map((m) => (JSON.parse(m.text) as { count: unknown }).count)
}

t.test('events that were sent ahead run one after the other and are answered together', async (t) => {
  const node = await start(t)
  const chunks = node.chunks
  node.send(...frames([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]))
  await node.answer(4)
  t.strictSame(order(node), ['result 1', 'result 2', 'result 3', 'result 4'])
  t.strictSame(counts(node.messages.filter((m) => m.kind === 'result')), [1, 2, 3, 4])
  t.equal(node.chunks - chunks, 1, 'in one write')
  t.equal(node.progress(), 4)
  node.send(...frames([{}], 5))
  await node.answer(5)
  t.equal(node.progress(), 4, 'an event that is alone need not be noted')
})

t.test('when an event turns slow, answers before it leave and events behind it come back', async (t) => {
  const node = await start(t)
  node.send(...frames([{ n: 1 }, { sleepMs: 200 }, { n: 3 }, { n: 4 }]))
  await node.answer(4)
  t.strictSame(order(node), ['result 1', 'returned 3', 'returned 4'])
  // One that arrives while the slow one runs comes back as well.
  node.send(...frames([{ n: 5 }], 5))
  t.equal((await node.answer(5)).kind, 'returned')
  t.strictSame(order(node), ['result 1', 'returned 3', 'returned 4', 'returned 5'])
  t.strictSame(counts([await node.answer(2)]), [2])
  t.strictSame(counts([await node.invoke(6, {})]), [3], 'what came back did not run, and the instance serves on')
})

t.test('a function that turns slow and quick again never runs an event twice', async (t) => {
  const node = await start(t)
  const events = Array.from({ length: 300 }, (_, i) => ({ n: i + 1, ...(i % 7 === 3 ? { sleepMs: 1 } : {}) }))
  const todo = new Map(events.map((event) => [event.n, event]))
  let seq = 0
  const inFlight = new Map<number, { n: number; sleepMs?: number }>()
  let seen = node.messages.length
  while (todo.size + inFlight.size > 0) {
    const batch = [...todo.values()].slice(0, 4 - inFlight.size)
    for (const event of batch) {
      todo.delete(event.n)
      inFlight.set(++seq, event)
      node.send(invokeFrame(seq, JSON.stringify(event)))
    }
    await node.find((m) => m.kind !== 'log' && node.messages.indexOf(m) >= seen)
    for (; seen < node.messages.length; seen++) {
      const message = node.messages[seen]
      const event = inFlight.get(message?.seq ?? 0)
      if (message === undefined || event === undefined) continue
      inFlight.delete(message.seq)
      if (message.kind === 'returned') todo.set(event.n, event)
      else t.strictSame((JSON.parse(message.text) as { n: number }).n, event.n)
    }
  }
  const results = node.messages.filter((m) => m.kind === 'result')
  t.equal(results.length, events.length)
  t.strictSame(
    counts(results),
    events.map((_, i) => i + 1)
  )
})

t.test('after a crash the progress page tells which event had begun', async (t) => {
  for (const event of [{ kill: true }, { hang: true }]) {
    const node = await start(t)
    node.send(...frames([{ n: 1 }, { n: 2 }, event, { n: 4 }]))
    while (node.progress() !== 3) await new Promise((resolve) => setImmediate(resolve))
    node.child.kill('SIGKILL')
    t.strictSame(await node.exited, { code: null, signal: 'SIGKILL' })
    t.equal(node.progress(), 3)
  }
})

t.test('process.exit answers what is finished and gives back what has not begun', async (t) => {
  const node = await start(t)
  node.send(...frames([{ n: 1 }, { exit: 4 }, { n: 3 }]))
  t.strictSame(await node.exited, { code: 4, signal: null })
  t.strictSame(order(node), ['result 1', 'returned 3'])
})

t.test('a rejection left behind belongs to the event that left it', async (t) => {
  const node = await start(t)
  node.send(...frames([{ n: 1 }, { reject: true }, { n: 3 }]))
  t.strictSame(await node.exited, { code: 128, signal: null })
  t.strictSame(order(node), ['result 1', 'error 2', 'returned 3'])
  t.match(node.logs(2), [`\t${requestIdOf(2)}\tERROR\tUnhandled Promise Rejection \t`])
})

t.test('the lines of an event that gets stuck arrive', async (t) => {
  const node = await start(t, 'shapes.stuck')
  node.send(invokeFrame(1, '{}'))
  await node.find((m) => m.kind === 'log' && m.text.endsWith('the last words'))
  t.equal(node.child.exitCode, null)
})

t.test('events arrive whatever the pieces of the stream are', async (t) => {
  const node = await start(t)
  const bytes = Buffer.concat(frames([{ n: 1 }, { n: 2, text: 'x'.repeat(100_000) }, { n: 3 }]))
  let at = 0
  for (const size of [1, 5, 6, 1, 40, 70_000]) {
    node.channel.write(bytes.subarray(at, at + size))
    at += size
    await new Promise((resolve) => setImmediate(resolve))
  }
  node.channel.write(bytes.subarray(at))
  await node.answer(3)
  t.strictSame(order(node), ['result 1', 'result 2', 'result 3'])
})

t.test('what was done between events goes on at the next one', async (t) => {
  const taskRoot = t.testdir({
    'ticks.mjs': `
      let ticks = 0
      setInterval(() => { ticks++ }, 1)
      export const handler = async () => ticks`
  })
  const node = new NodeProcess()
  t.teardown(() => node.close())
  await node.init({ handler: 'ticks.handler', taskRoot })
  let last = Number((await node.invoke(1, {})).text)
  for (let seq = 2; last < 3; seq++) last = Number((await node.invoke(seq, {})).text)
  t.ok(last >= 3, 'timers get their turn although every event is short')
})

t.test('each identifier is served by its Node.js, or the next newer, or the newest', (t) => {
  const dir = path.join(bundledRuntimesDir(), 'node')
  const registry = createRegistry([
    nodeLanguage(
      [
        { execPath: '/opt/node20/bin/node', version: '20.20.2' },
        { execPath: '/opt/node22/bin/node', version: '22.1.0' },
        { execPath: '/usr/bin/node', version: '20.1.0' }
      ],
      dir
    )
  ])
  t.match(registry.list(), [
    { runtime: 'nodejs20.x', interpreter: 'Node.js 20.20.2', exact: true, remedy: undefined },
    { runtime: 'nodejs22.x', interpreter: 'Node.js 22.1.0', exact: true },
    { runtime: 'nodejs24.x', interpreter: 'Node.js 22.1.0', exact: false }
  ])
  t.equal(registry.default.name, 'node20')
  t.match(registry.resolve('nodejs24.x', 'index.handler'), {
    name: 'node22',
    runtimeVersion: 'nodejs:22.1.0',
    environment: { NODE_PATH: /^\/opt\/nodejs\/node24\/node_modules:/ }
  })
  t.equal(registry.resolve('python3.13', 'a.b'), undefined)
  t.match(registry.boot('node20', 128), {
    command: ['/var/lang/bin/node', '--max-old-space-size=85', '--max-semi-space-size=6', '/var/runtime/bootstrap.cjs'],
    mounts: [
      { source: '/opt/node20/bin/node', target: '/var/lang/bin/node' },
      { source: dir, target: '/var/runtime' }
    ]
  })
  t.throws(() => registry.boot('node18', 128), /no interpreter is named node18/)
  t.throws(() => createRegistry([nodeLanguage([], dir)]), /no interpreter/)
  t.match(createRegistry([nodeLanguage([{ execPath: '/n', version: '20.1.0' }], dir)]).list()[2], { exact: false })
  t.end()
})
