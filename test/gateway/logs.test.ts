import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { FunctionSpec } from '@hearth/executor'
import { createLogWriter, type LogQuery, type LogWriter, readLog } from '@hearth/gateway'
import t, { type Test } from 'tap'
import { ask, startGateway } from './harness.ts'

const T0 = Date.parse('2026-01-02T03:04:05.000Z')
const STREAM = '2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef'
const ALL: LogQuery = { since: '', requestId: '', limit: 10_000 }

interface Line {
  readonly t: string
  readonly stream: string
  readonly requestId: string
  readonly level: string
  readonly msg: string
}

const spec = (name: string) => ({ name }) as FunctionSpec
const put = (logs: LogWriter, name: string, text: string, at = T0, requestId = 'r-1') =>
  logs.write(spec(name), STREAM, at, requestId, 'INFO', text)
const parse = (text: string | Buffer) =>
  String(text)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
const filesOf = (dir: string, name: string) =>
  readdirSync(path.join(dir, name)).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))

function open(t: Test, options: Partial<Parameters<typeof createLogWriter>[0]> = {}) {
  const logsDir = path.join(t.testdir(), 'logs')
  const logs = createLogWriter({ logsDir, totalBytes: 1_048_576, flushMs: 1_000_000, ...options })
  t.teardown(() => logs.close())
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
  await Promise.all([logs.flush('one'), logs.flush('two'), logs.flush('never-wrote')])
  const lines = parse(readFileSync(path.join(logsDir, 'one', '1.ndjson')))
  t.same(
    lines.map(({ msg }) => msg),
    texts
  )
  t.same(lines[0], { t: '2026-01-02T03:04:05.000Z', stream: STREAM, requestId: 'r-1', level: 'INFO', msg: 'plain' })
  t.equal(lines[5]!.t, '2026-01-02T03:04:05.005Z')
  t.equal(parse(readFileSync(path.join(logsDir, 'two', '1.ndjson'))).length, 1)
  t.equal(statSync(path.join(logsDir, 'one', '1.ndjson')).mode & 0o777, 0o600)
  t.equal(
    logs.counts().storedBytes,
    statSync(path.join(logsDir, 'one', '1.ndjson')).size + statSync(path.join(logsDir, 'two', '1.ndjson')).size
  )
  put(logs, 'one', 'x'.repeat(300_000))
  put(logs, 'one', 'bad time', Number.NaN)
  await logs.flush('one')
  const [long, undated] = parse(await readLog(logsDir, 'one', ALL)).slice(-2)
  t.match(long!.msg, /^x{262144}… \[cut: 300000 characters\]$/)
  t.match(undated!.t, /^20\d\d-/)
})

t.test('files roll over, and the oldest go when there is too much', async (t) => {
  const { logs, logsDir } = open(t, { totalBytes: 10_000, segmentBytes: 2_000 })
  for (let i = 0; i < 200; i++) {
    put(logs, 'f', `line ${i} ${'.'.repeat(100)}`, T0 + i)
    if (i % 5 === 4) await logs.flush('f')
  }
  const files = filesOf(logsDir, 'f')
  const sizes = files.map((file) => statSync(path.join(logsDir, 'f', file)).size)
  t.ok(sizes.reduce((a, b) => a + b, 0) <= 10_000, `${sizes.join(' ')}`)
  t.ok(files.length > 2)
  t.ok(Number.parseInt(files[0]!, 10) > 10, 'the first ones are gone')
  const numbers = parse(await readLog(logsDir, 'f', ALL)).map(({ msg }) => Number(msg.split(' ')[1]))
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
  const file = path.join(logsDir, 'f', '1.ndjson')
  writeFileSync(file, '{"t":"2026-01-02T03:04:05.000Z","str', { flag: 'a' })
  writeFileSync(path.join(logsDir, 'f', 'notes.txt'), 'not ours')
  const next = createLogWriter({ logsDir, totalBytes: 1_048_576 })
  put(next, 'f', 'again')
  await next.close()
  t.same(
    filesOf(logsDir, 'f').filter((name) => name.endsWith('.ndjson')),
    ['1.ndjson']
  )
  t.same(
    parse(await readLog(logsDir, 'f', ALL)).map(({ msg }) => msg),
    ['before', 'again']
  )
})

t.test('lines that come faster than the disk takes them are dropped, counted and named', async (t) => {
  const { logs, logsDir } = open(t, { functionBufferBytes: 2_000 })
  for (let i = 0; i < 100; i++) put(logs, 'f', `line ${i}`)
  await logs.flush('f')
  const lines = parse(readFileSync(path.join(logsDir, 'f', '1.ndjson')))
  const dropped = logs.counts().droppedLines
  t.ok(dropped > 50)
  t.equal(lines.length, 100 - dropped + 1)
  t.match(lines.at(-1), {
    level: 'WARN',
    stream: '',
    msg: `${dropped} log lines were dropped here: they came faster than the disk takes them, or the disk failed.`
  })
  put(logs, 'f', 'after')
  await logs.flush('f')
  t.match(parse(readFileSync(path.join(logsDir, 'f', '1.ndjson'))).at(-1), { msg: 'after' })

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
  await logs.flush('f')
  put(logs, 'f', 'lost 3')
  await logs.flush('f')
  t.equal(told.length, 1, 'the operator is not flooded')
  now += 120_000
  put(logs, 'f', 'lost 4')
  await logs.flush('f')
  t.equal(told.length, 2)
  rmSync(path.join(logsDir, 'f'))
  put(logs, 'f', 'kept')
  await logs.flush('f')
  const lines = parse(readFileSync(path.join(logsDir, 'f', '1.ndjson')))
  t.equal(lines[0]!.msg, 'kept')
  t.match(lines[1]!.msg, /^4 log lines were dropped here/)
})

t.test('many functions share a bounded number of open files', async (t) => {
  const { logs, logsDir } = open(t)
  const names = Array.from({ length: 300 }, (_, i) => `f${i}`)
  for (const round of [1, 2]) {
    for (const name of names) put(logs, name, `round ${round}`)
    await Promise.all(names.map((name) => logs.flush(name)))
    const ours = readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).startsWith(logsDir))
    t.ok(ours.length <= 128, `${ours.length} files are open`)
  }
  for (const name of names) t.equal(parse(readFileSync(path.join(logsDir, name, '1.ndjson'))).length, 2)
})

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ''
  }
}

t.test('reading picks by time, by request and by number, newest last', async (t) => {
  const { logs, logsDir } = open(t, { totalBytes: 4_000_000, segmentBytes: 100_000 })
  for (let i = 0; i < 3_000; i++) {
    put(logs, 'f', `line ${i} "requestId":"r-7" ${'.'.repeat(150)}`, T0 + i * 1_000, `r-${i % 100}`)
    if (i % 50 === 0) await logs.flush('f')
  }
  await logs.flush('f')
  t.ok(filesOf(logsDir, 'f').length > 5)
  const read = async (query: Partial<LogQuery>) =>
    parse(await readLog(logsDir, 'f', { ...ALL, ...query })).map(({ msg }) => Number(msg.split(' ')[1]))
  t.same(await read({ limit: 3 }), [2_997, 2_998, 2_999])
  t.equal((await read({})).length, 3_000)
  t.same(await read({ since: new Date(T0 + 2_998_000).toISOString() }), [2_998, 2_999])
  const seven = await read({ requestId: 'r-7' })
  t.equal(seven.length, 30, 'a text that looks like a request id is none')
  t.same(seven.slice(0, 2), [7, 107])
  t.same(await read({ requestId: 'r-7', limit: 2 }), [2_807, 2_907])
  t.same(await read({ requestId: 'r-7", "' }), [])
  t.same(
    await read({ since: new Date(T0 + 2_500_000).toISOString(), requestId: 'r-7' }),
    [2_507, 2_607, 2_707, 2_807, 2_907]
  )
})

t.test('a function’s log can be asked for at once, and shows nobody else’s', async (t) => {
  const { port, logs } = await startGateway(t)
  put(logs, 'hello', 'one', Date.now() - 3_600_000)
  put(logs, 'hello', 'two', Date.now(), 'r-2')
  put(logs, 'secret', 'not for you')
  const read = async (query: string) => {
    const answer = await ask(port, `/v1/functions/hello/logs${query}`)
    t.match(answer, { status: 200, headers: { 'content-type': 'application/x-ndjson' } })
    return parse(answer.body).map(({ msg }) => msg)
  }
  t.same(await read(''), ['one', 'two'])
  t.same(await read('?since=10m'), ['two'])
  t.same(await read('?requestId=r-2'), ['two'])
  t.same(await read('?limit=1'), ['two'])
  t.match(await ask(port, '/v1/functions/secret/logs'), { status: 404 })
  t.match(await ask(port, '/v1/functions/..%2Fsecret/logs'), { status: 400 })
})
