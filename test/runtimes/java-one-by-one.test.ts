import { createFrameReader } from '@hearth/executor/internal/channel/frame-reader'
import { encodeInit, encodeInvoke } from '@hearth/executor/internal/channel/frame-writer'
import { INIT_ERROR, INIT_OK, type InitMessage, READY, RESULT, RETURNED } from '@hearth/executor/internal/protocol'
import t, { type Test } from 'tap'
import { runtimesOfThisMachine, startExecutor } from '../helpers/executor.ts'
import { makePackages, type Packages } from './java-functions.ts'

t.setTimeout(120_000)

let packages: Packages
t.before(() => {
  packages = makePackages(t)
})

const KINDS: Record<number, string> = {
  [READY]: 'ready',
  [INIT_OK]: 'init_ok',
  [INIT_ERROR]: 'init_error',
  [RESULT]: 'result',
  [RETURNED]: 'returned'
}

interface Message {
  readonly kind: string
  readonly seq: number
  readonly text: string
}

/** One instance at the end of its channel, without a pool that decides what it gets. */
async function startInstance(t: Test, handler: string) {
  const { host } = await startExecutor(t)
  const registry = await runtimesOfThisMachine()
  const plan = registry.boot(registry.resolve('java17', handler)!.name, 256)
  const sandbox = await host.start({ ...plan, memoryMiB: 256, tmpMiB: 64, pids: 128, network: 'none' })
  t.teardown(async () => {
    sandbox.kill()
    await sandbox.exited
  })
  sandbox.output.resume()
  const messages: Message[] = []
  let wake = (): void => undefined
  const reader = createFrameReader({
    frame: (type, _flags, seq, _meta, payload) => {
      messages.push({ kind: KINDS[type] ?? String(type), seq, text: payload.toString() })
      wake()
    },
    violation: (reason) => {
      throw new Error(reason)
    }
  })
  sandbox.channel.on('data', (chunk: Buffer) => reader.push(chunk))
  sandbox.channel.resume()
  const find = async (matches: (message: Message) => boolean): Promise<Message> => {
    for (;;) {
      const found = messages.find(matches)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  await find(({ kind }) => kind === 'ready')
  await sandbox.assign({ mounts: [{ source: packages.main, target: '/var/task' }] })
  const init: InitMessage = {
    handler,
    env: {},
    taskRoot: '/var/task',
    functionName: 'f',
    functionVersion: '$LATEST',
    memoryMiB: 256,
    logGroup: '',
    logStream: '',
    logFormat: 'Text',
    logLevel: 'INFO',
    runtime: 'java17',
    backend: 'process',
    concurrency: 1,
    threads: 0
  }
  sandbox.channel.write(encodeInit(init))
  await find(({ kind }) => kind.startsWith('init'))
  return {
    messages,
    find,
    /** Sends events in one write, with the numbers from `from` on. */
    send: (events: readonly unknown[], from = 1) =>
      sandbox.channel.write(
        Buffer.concat(
          events.map((event, i) =>
            encodeInvoke(
              from + i,
              Date.now() + 3_000,
              `event ${from + i}`,
              '',
              '',
              '',
              Buffer.from(JSON.stringify(event))
            )
          )
        )
      ),
    answers: () => messages.filter(({ seq }) => seq > 0).map(({ kind, seq }) => `${kind} ${seq}`)
  }
}

t.test('events that were sent ahead run one after the other', async (t) => {
  const { send, find, answers } = await startInstance(t, 'example.Surroundings::count')
  send([{}, {}, {}, {}])
  t.equal((await find(({ seq }) => seq === 4)).text, '4')
  t.same(answers(), ['result 1', 'result 2', 'result 3', 'result 4'])
})

t.test('when an event takes long, those behind it come back', async (t) => {
  const { send, find, answers } = await startInstance(t, 'example.Surroundings::slow')
  send([0, 500, 0, 0])
  await find(({ seq }) => seq === 4)
  t.same(answers(), ['result 1', 'returned 3', 'returned 4'])
  send([0], 5)
  t.equal((await find(({ seq }) => seq === 5)).kind, 'returned', 'also one that comes later')
  t.equal((await find(({ seq }) => seq === 2)).kind, 'result')
  send([0], 6)
  t.equal((await find(({ seq }) => seq === 6)).kind, 'result', 'and the instance serves on')
})

t.test('what is short and long in turns is answered or given back, each once', async (t) => {
  const { send, find, messages } = await startInstance(t, 'example.Surroundings::slow')
  const todo: number[] = Array.from({ length: 200 }, (_, i) => (i % 5 === 2 ? 12 : 0))
  const inFlight = new Map<number, number>()
  let seq = 0
  let seen = messages.length
  let done = 0
  let returned = 0
  while (todo.length + inFlight.size > 0) {
    for (const ms of todo.splice(0, 4 - inFlight.size)) {
      inFlight.set(++seq, ms)
      send([ms], seq)
    }
    await find((message) => messages.indexOf(message) >= seen)
    for (; seen < messages.length; seen++) {
      const message = messages[seen]!
      const ms = inFlight.get(message.seq)
      t.ok(inFlight.delete(message.seq), `${message.kind} ${message.seq} was in flight`)
      if (message.kind === 'returned') returned++
      else done++
      if (message.kind === 'returned') todo.push(ms ?? 0)
    }
  }
  t.equal(done, 200)
  t.ok(returned > 0, `${returned} were given back`)
})
