import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import {
  createLogReader,
  createLogWriter,
  groupOfFunction,
  type LogEvent,
  type LogQuery,
  type LogWriter
} from '@hearth/store'
import t, { type Test } from 'tap'

const T0 = Date.parse('2026-01-02T03:04:05.000Z')
const STREAM = '2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef'
/** Segments have the number of the second in which they begin. */
const FIRST = T0 / 1_000

interface Line {
  readonly t: string
  readonly stream: string
  readonly requestId: string
  readonly level: string
  readonly msg: string
}

const spec = (name: string) => ({ name, logGroup: groupOfFunction(name) })
const put = (logs: LogWriter, name: string, text: string, at = T0, requestId = 'r-1') =>
  logs.write(spec(name), STREAM, at, requestId, 'INFO', text)
const parse = (text: string | Buffer) =>
  String(text)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
const flush = (logs: LogWriter, name: string) => logs.flush(groupOfFunction(name))
async function read(logsDir: string, name: string, query: LogQuery = {}): Promise<LogEvent[]> {
  const events: LogEvent[] = []
  for await (const batch of createLogReader(logsDir).read(groupOfFunction(name), query)) events.push(...batch)
  return events
}
const textsOf = async (logsDir: string, name: string, query?: LogQuery) =>
  (await read(logsDir, name, query)).map(({ message }) => message)
const filesOf = (dir: string, name: string) =>
  readdirSync(path.join(dir, name))
    .filter((file) => file !== 'removed.json')
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))

const writersOf = new WeakMap<Test, LogWriter[]>()
function open(t: Test, options: Partial<Parameters<typeof createLogWriter>[0]> = {}) {
  let writers = writersOf.get(t)
  if (writers === undefined) {
    const all: LogWriter[] = []
    writers = all
    writersOf.set(t, all)
    // Before the folder is made, and so before it goes: what still writes into it would be in the way.
    t.teardown(() => Promise.all(all.map((writer) => writer.close())))
  }
  const logsDir = path.join(t.testdir(), 'logs')
  const logs = createLogWriter({ logsDir, groupBytes: 1_048_576, flushMs: 1_000_000, now: () => T0, ...options })
  writers.push(logs)
  return { logs, logsDir }
}

t.test('lines are kept per function, whole, escaped and in order', async (t) => {
  const { logs, logsDir } = open(t)
  const texts = [
    'plain',
    'with "quotes" and \\',
    'two\nlines',
    'é日本\u2028',
    '\u0000\u001b[31m',
    '{"requestId":"r-2"}'
  ]
  for (const [i, text] of texts.entries()) put(logs, 'one', text, T0 + i)
  put(logs, 'two', 'other')
  await Promise.all([flush(logs, 'one'), flush(logs, 'two'), flush(logs, 'never-wrote')])
  const lines = parse(readFileSync(path.join(logsDir, 'one', `${FIRST}.ndjson`)))
  t.same(
    lines.map(({ msg }) => msg),
    texts
  )
  t.same(lines[0], { t: '2026-01-02T03:04:05.000Z', stream: STREAM, requestId: 'r-1', level: 'INFO', msg: 'plain' })
  t.equal(lines[5]!.t, '2026-01-02T03:04:05.005Z')
  t.equal(parse(readFileSync(path.join(logsDir, 'two', `${FIRST}.ndjson`))).length, 1)
  t.equal(statSync(path.join(logsDir, 'one', `${FIRST}.ndjson`)).mode & 0o777, 0o600)
  t.equal(
    logs.counts().storedBytes,
    statSync(path.join(logsDir, 'one', `${FIRST}.ndjson`)).size +
      statSync(path.join(logsDir, 'two', `${FIRST}.ndjson`)).size
  )
  put(logs, 'one', 'x'.repeat(300_000))
  put(logs, 'one', 'bad time', Number.NaN)
  await flush(logs, 'one')
  const [long, undated] = (await read(logsDir, 'one')).slice(-2)
  t.match(long!.message, /^x{262144}… \[cut: 300000 characters\]$/)
  t.equal(undated!.at, T0)
})

t.test('files roll over, and the oldest go when there is too much', async (t) => {
  const { logs, logsDir } = open(t, { groupBytes: 10_000, segmentBytes: 2_000 })
  for (let i = 0; i < 200; i++) {
    put(logs, 'f', `line ${i} ${randomBytes(50).toString('base64')}`, T0 + i)
    if (i % 5 === 4) await flush(logs, 'f')
  }
  await logs.close()
  const files = filesOf(logsDir, 'f')
  const sizes = files.map((file) => statSync(path.join(logsDir, 'f', file)).size)
  t.ok(sizes.reduce((a, b) => a + b, 0) <= 10_000, `${sizes.join(' ')}`)
  t.ok(files.length > 2)
  t.ok(Number.parseInt(files[0]!, 10) > FIRST + 3, 'the first ones are gone')
  const numbers = (await textsOf(logsDir, 'f')).map((text) => Number(text.split(' ')[1]))
  t.equal(numbers.at(-1), 199)
  t.same(
    numbers,
    [...numbers].sort((a, b) => a - b),
    'what is left is the newest, without a gap'
  )
  t.equal(numbers.length, 200 - numbers[0]!)
})

t.test('a new process goes on where the last one stopped, even in the middle of a line', async (t) => {
  const { logs, logsDir } = open(t)
  put(logs, 'f', 'before')
  await logs.close()
  put(logs, 'f', 'after the close: lost')
  const file = path.join(logsDir, 'f', `${FIRST}.ndjson`)
  writeFileSync(file, '{"t":"2026-01-02T03:04:05.000Z","str', { flag: 'a' })
  writeFileSync(path.join(logsDir, 'f', 'notes.txt'), 'not ours')
  const next = createLogWriter({ logsDir, groupBytes: 1_048_576, now: () => T0 })
  put(next, 'f', 'again')
  await next.close()
  t.same(
    filesOf(logsDir, 'f').filter((name) => name.endsWith('.ndjson')),
    [`${FIRST}.ndjson`]
  )
  t.same(await textsOf(logsDir, 'f'), ['before', 'again'])
})

t.test('lines that come faster than the disk takes them are dropped, counted and named', async (t) => {
  const { logs, logsDir } = open(t, { groupBufferBytes: 2_000 })
  for (let i = 0; i < 100; i++) put(logs, 'f', `line ${i}`)
  await flush(logs, 'f')
  const lines = parse(readFileSync(path.join(logsDir, 'f', `${FIRST}.ndjson`)))
  const dropped = logs.counts().droppedLines
  t.ok(dropped > 50)
  t.equal(lines.length, 100 - dropped + 1)
  t.match(lines.at(-1), {
    level: 'WARN',
    stream: STREAM,
    msg: `${dropped} log lines were dropped here: they came faster than the disk takes them, or the disk failed.`
  })
  put(logs, 'f', 'after')
  await flush(logs, 'f')
  t.match(parse(readFileSync(path.join(logsDir, 'f', `${FIRST}.ndjson`))).at(-1), { msg: 'after' })

  const all = open(t, { bufferBytes: 1_000 })
  for (let i = 0; i < 100; i++) put(all.logs, `f${i % 10}`, `line ${i}`)
  t.ok(all.logs.counts().droppedLines > 80, 'all functions together are bounded too')
})

t.test('a disk that fails costs lines and nothing else', async (t) => {
  const told: unknown[] = []
  let now = T0
  const { logs, logsDir } = open(t, { onDiskError: (err) => told.push(err), now: () => now })
  // A file where the folder belongs: every write fails, as root too.
  mkdirSync(logsDir, { recursive: true })
  writeFileSync(path.join(logsDir, 'f'), '')
  put(logs, 'f', 'lost 1')
  put(logs, 'f', 'lost 2')
  await flush(logs, 'f')
  put(logs, 'f', 'lost 3')
  await flush(logs, 'f')
  t.equal(told.length, 1, 'the operator is not flooded')
  now += 120_000
  put(logs, 'f', 'lost 4')
  await flush(logs, 'f')
  t.equal(told.length, 2)
  rmSync(path.join(logsDir, 'f'))
  put(logs, 'f', 'kept')
  await flush(logs, 'f')
  const lines = parse(readFileSync(path.join(logsDir, 'f', `${FIRST + 120}.ndjson`)))
  t.equal(lines[0]!.msg, 'kept')
  t.match(lines[1]!.msg, /^4 log lines were dropped here/)
})

t.test('many functions share a bounded number of open files', async (t) => {
  const { logs, logsDir } = open(t)
  const names = Array.from({ length: 300 }, (_, i) => `f${i}`)
  for (const round of [1, 2]) {
    for (const name of names) put(logs, name, `round ${round}`)
    await Promise.all(names.map((name) => flush(logs, name)))
    const ours = readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).startsWith(logsDir))
    t.ok(ours.length <= 128, `${ours.length} files are open`)
  }
  for (const name of names) t.equal(parse(readFileSync(path.join(logsDir, name, `${FIRST}.ndjson`))).length, 2)
})

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ''
  }
}

t.test('reading picks by time, by request, by stream and by place, in either direction', async (t) => {
  const { logs, logsDir } = open(t, {
    groupBytes: 40_000_000,
    segmentBytes: 150_000,
    bufferBytes: 1e9,
    groupBufferBytes: 1e9
  })
  for (let i = 0; i < 3_000; i++) {
    const text = `line ${i} "requestId":"r-7" ${'.'.repeat(150)}`
    logs.write(spec('f'), i % 2 === 0 ? 'even' : 'odd', T0 + i * 1_000, `r-${i % 100}`, 'INFO', text)
    if (i % 500 === 0) await flush(logs, 'f')
  }
  await flush(logs, 'f')
  const numbers = async (query: LogQuery) =>
    (await textsOf(logsDir, 'f', query)).map((text) => Number(text.split(' ')[1]))
  const check = async (name: string) => {
    t.equal((await numbers({})).length, 3_000, name)
    t.same((await numbers({ backwards: true })).slice(0, 2), [2_999, 2_998])
    t.same(await numbers({ since: T0 + 2_998_000 }), [2_998, 2_999])
    t.same(await numbers({ since: T0 + 1_500_000, until: T0 + 1_502_000 }), [1_500, 1_501])
    const seven = await numbers({ requestId: 'r-7' })
    t.equal(seven.length, 30, 'a text that looks like a request id is none')
    t.same(seven.slice(0, 2), [7, 107])
    t.same(await numbers({ requestId: 'r-7", "' }), [])
    t.same(await numbers({ text: 'line 77 "requestId"' }), [77])
    t.same(await numbers({ text: 'line 7', backwards: true, requestId: 'r-7' }), [707, 7])
    t.same(await numbers({ text: 'r-7\\' }), [], 'what stands for it in the file is not its text')
    t.same(
      await numbers({ since: T0 + 2_700_000, streams: (stream) => stream === 'odd', requestId: 'r-7' }),
      [2_707, 2_807, 2_907]
    )
    t.same(await numbers({ streams: () => false }), [])
    const all = await read(logsDir, 'f')
    for (const at of [0, 1_500, 2_998]) {
      const after = all[at]!.position
      t.same(
        (await read(logsDir, 'f', { after })).map(({ position }) => position),
        all.slice(at + 1).map(({ position }) => position)
      )
      t.same((await read(logsDir, 'f', { after, backwards: true })).length, at)
    }
    const reader = createLogReader(logsDir)
    t.same(await reader.streams('/aws/lambda/f'), [
      { name: 'even', firstEventAt: T0, lastEventAt: T0 + 2_998_000, lastIngestedAt: T0 },
      { name: 'odd', firstEventAt: T0 + 1_000, lastEventAt: T0 + 2_999_000, lastIngestedAt: T0 }
    ])
    const end = await reader.end('/aws/lambda/f')
    t.same(await numbers({ after: end }), [])
    t.equal((await read(logsDir, 'f', { after: end, backwards: true })).length, 3_000)
    return all.map(({ position }) => position)
  }
  const before = await check('as text, in part')
  await logs.close()
  const next = createLogWriter({ logsDir, groupBytes: 40_000_000, now: () => T0 + 7_200_000, segmentBytes: 150_000 })
  t.teardown(() => next.close())
  await next.sweep()
  await next.sweep()
  await next.close()
  t.notOk(
    filesOf(logsDir, 'f').some((name) => name.endsWith('.ndjson')),
    'all of it is compressed'
  )
  t.ok(next.counts().storeBytes < 400_000)
  t.equal(
    next.counts().storeBytes,
    filesOf(logsDir, 'f').reduce((sum, name) => sum + statSync(path.join(logsDir, 'f', name)).size, 0)
  )
  t.same(await check('compressed'), before, 'positions stay')
  for (const name of filesOf(logsDir, 'f')) if (name.endsWith('.json')) rmSync(path.join(logsDir, 'f', name))
  t.same(await check('without indexes'), before)
})

t.test('any group has a folder of its own, whose name says which it is', async (t) => {
  const { logs, logsDir } = open(t)
  const groups = [
    '/aws/lambda/own',
    '/aws/lambda/with.dot',
    'own',
    '/own',
    '..',
    '.',
    'a/b',
    'a#b',
    'a+b'.replace('+', '_'),
    'A/b',
    '/',
    'x'.repeat(512),
    `/${'y/'.repeat(255)}z`,
    '#/'.repeat(120)
  ]
  for (const [i, group] of groups.entries()) await logs.put(group, 's', [{ at: T0, message: `of ${i}` }])
  const reader = createLogReader(logsDir)
  const found = await reader.groups()
  t.same(
    found.map(({ name }) => name),
    [...groups].sort()
  )
  for (const [i, group] of groups.entries()) {
    for await (const [event] of reader.read(group, {})) t.equal(event!.message, `of ${i}`, group.slice(0, 20))
    t.ok((await reader.group(group))!.storedBytes > 0)
  }
  t.same(readdirSync(path.dirname(logsDir)), ['logs'], 'nothing is written elsewhere')
  mkdirSync(path.join(logsDir, 'not a group'))
  t.equal((await reader.groups()).length, groups.length)
  for (const wrong of ['', 'a b', 'x'.repeat(513), 'é', 'a\0b', 'a*']) {
    await t.rejects(logs.put(wrong, 's', []), RangeError)
    await t.rejects(reader.group(wrong), RangeError)
  }
  t.equal(await reader.group('never'), undefined)
  t.same(await reader.streams('never'), [])
  t.same(await reader.end('never'), { segment: 0, offset: 0 })
})

t.test(
  'events from outside are on disk when they are taken, as they are, and are refused rather than lost',
  async (t) => {
    const { logs, logsDir } = open(t, { bufferBytes: 50_000, groupBufferBytes: 1_000 })
    const stream = 'mine "quoted" \\ and é'
    const long = 'x'.repeat(40_000)
    await Promise.all([
      logs.put('/app', stream, [{ at: T0 - 86_400_000, message: 'two\nlines' }]),
      logs.put('/app', stream, [{ at: T0, message: '{"requestId":"r-1"}' }])
    ])
    await logs.put('/app', 'other', [{ at: T0, message: long }])
    const taken = logs.put('/app', stream, [{ at: T0, message: long }])
    await t.rejects(logs.put('/app', stream, [{ at: T0, message: long }]), { name: 'LogWriterBusyError' })
    await taken
    const reader = createLogReader(logsDir)
    const events: LogEvent[] = []
    for await (const batch of reader.read('/app', {})) events.push(...batch)
    t.match(events[0], {
      at: T0 - 86_400_000,
      ingestedAt: T0,
      stream,
      functionName: '',
      requestId: '',
      level: '',
      message: 'two\nlines'
    })
    t.same(
      events.map(({ message }) => message.length),
      [9, 19, 40_000, 40_000]
    )
    t.same(await reader.streams('/app'), [
      { name: stream, firstEventAt: T0 - 86_400_000, lastEventAt: T0, lastIngestedAt: T0 },
      { name: 'other', firstEventAt: T0, lastEventAt: T0, lastIngestedAt: T0 }
    ])
    rmSync(path.join(logsDir, '@+app'), { recursive: true })
    writeFileSync(path.join(logsDir, '@+b'), '')
    await t.rejects(logs.put('/b', 's', [{ at: T0, message: 'm' }]), 'the disk failed: whoever put it knows')
  }
)

t.test('files go by age, by what is removed and by what all groups may take', async (t) => {
  let now = T0
  const cap = 300_000
  const { logs, logsDir } = open(t, { now: () => now, segmentBytes: 20_000, totalBytes: cap, retentionDays: 3 })
  const reader = createLogReader(logsDir)
  const noise = () => randomBytes(7_000).toString('base64')
  const storedBytes = async () => (await reader.groups()).reduce((sum, group) => sum + group.storedBytes, 0)
  put(logs, 'quiet', 'kept')
  await flush(logs, 'quiet')
  for (let i = 0; i < 60; i++) {
    put(logs, i % 10 === 0 ? 'small' : 'large', `${i} ${noise()}`)
    await flush(logs, i % 10 === 0 ? 'small' : 'large')
    if (i % 10 === 9) t.ok((await storedBytes()) <= cap, `${await storedBytes()} bytes after ${i}`)
  }
  t.same(await textsOf(logsDir, 'quiet'), ['kept'], 'the largest pays')
  t.equal((await read(logsDir, 'small')).length, 6)
  t.match((await read(logsDir, 'large')).at(-1)!.message, /^59 /)

  now += 2 * 86_400_000
  await logs.sweep()
  put(logs, 'small', 'later', now)
  await flush(logs, 'small')
  await logs.retain({ retention: new Map([['/aws/lambda/large', 1]]), removals: [] })
  await logs.sweep()
  t.same(await textsOf(logsDir, 'large'), [], 'a retention of its own')
  t.equal((await read(logsDir, 'small')).length, 7)
  t.ok(await reader.group('/aws/lambda/large'), 'the group stays')
  now += 86_400_000
  await logs.sweep()
  t.same(await textsOf(logsDir, 'small'), ['later'], 'and that of all others')
  t.same(await textsOf(logsDir, 'quiet'), [])

  const before = await reader.end('/aws/lambda/small')
  const cuts = [{ stream: '', at: now }]
  await logs.retain({ retention: new Map(), removals: [{ group: '/aws/lambda/small', ...cuts[0]! }] })
  t.equal(await reader.group('/aws/lambda/small'), undefined, 'a removed group is gone')
  now += 1_000
  put(logs, 'small', 'again', now)
  await flush(logs, 'small')
  const [again] = await read(logsDir, 'small', { after: before })
  t.equal(again?.message, 'again', 'one that is written to again goes on behind what it was')
  const cut = createLogReader(logsDir, { cuts: () => [{ stream: STREAM, at: now }] })
  for await (const batch of cut.read('/aws/lambda/small', {})) t.same(batch, [], 'nothing of a removed stream')
  t.same(await cut.streams('/aws/lambda/small'), [])
})

t.test('what a crash left behind is completed', async (t) => {
  const { logs, logsDir } = open(t, { segmentBytes: 1_000 })
  for (let i = 0; i < 30; i++) {
    put(logs, 'f', `line ${i} ${'.'.repeat(200)}`)
    await flush(logs, 'f')
  }
  await logs.close()
  const dir = path.join(logsDir, 'f')
  const next = createLogWriter({ logsDir, groupBytes: 1_048_576, segmentBytes: 1_000, now: () => T0 })
  await next.sweep()
  await next.close()
  const compressed = filesOf(logsDir, 'f').filter((name) => name.endsWith('.gz'))
  t.ok(compressed.length >= 3)
  const numbers = async () => (await textsOf(logsDir, 'f')).map((text) => Number(text.split(' ')[1]))
  const all = Array.from({ length: 30 }, (_, i) => i)
  t.same(await numbers(), all)
  const [one, two] = compressed.map((name) => Number.parseInt(name, 10))
  // Half-made files, a text that was to be removed, an index that is none.
  writeFileSync(path.join(dir, `${one}.ndjson.gz.partial`), 'half')
  writeFileSync(path.join(dir, `${two}.ndjson`), gunzipSync(readFileSync(path.join(dir, `${two}.ndjson.gz`))))
  writeFileSync(path.join(dir, `${one}.index.json`), '{"format":0}')
  rmSync(path.join(dir, `${two}.index.json`))
  t.same(await numbers(), all, 'read as it is')
  const last = createLogWriter({ logsDir, groupBytes: 1_048_576, segmentBytes: 1_000, now: () => T0 })
  await last.sweep()
  await last.close()
  t.same(await numbers(), all)
  const files = filesOf(logsDir, 'f')
  t.notOk(files.some((name) => name.endsWith('.partial')))
  t.notOk(files.includes(`${two}.ndjson`))
  t.ok(files.includes(`${two}.index.json`))
  // Damage costs what is damaged.
  const file = path.join(dir, `${one}.ndjson.gz`)
  writeFileSync(file, randomBytes(statSync(file).size))
  const rest = await numbers()
  t.ok(rest.length > 20 && rest.length < 30)
  t.match(logs.counts(), { droppedLines: 0, droppedBytes: 0 })
})

t.test('a flood is no loss of those who write little', async (t) => {
  const { logs, logsDir } = open(t, { bufferBytes: 400_000, flushMs: 5 })
  const flooders = Array.from({ length: 40 }, (_, i) => `flood${i}`)
  for (let round = 0; round < 20; round++) {
    for (const name of flooders) for (let i = 0; i < 20; i++) put(logs, name, 'x'.repeat(100))
    put(logs, 'quiet', `line ${round}`)
    if (round % 5 === 4) await flush(logs, 'quiet')
  }
  await flush(logs, 'quiet')
  t.ok(logs.counts().droppedLines > 1_000)
  t.ok(logs.counts().droppedBytes >= logs.counts().droppedLines * 100)
  t.same(
    await textsOf(logsDir, 'quiet'),
    Array.from({ length: 20 }, (_, i) => `line ${i}`)
  )
})
