// What is known of log segments without reading their text, and of segments that are gone.
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createLogReader, createLogWriter, type LogLoss, type LogPosition, type LogQuery } from '@hearth/store'
import t, { type Test } from 'tap'

const T0 = Date.parse('2026-01-02T03:04:05.000Z')
const FIRST = T0 / 1_000
const GROUP = '/aws/lambda/f'
type Options = Partial<Parameters<typeof createLogWriter>[0]>

/** Closes what it has opened before the folder goes. */
function opener(t: Test) {
  const all: ReturnType<typeof createLogWriter>[] = []
  t.teardown(() => Promise.all(all.map((one) => one.close())))
  const logsDir = path.join(t.testdir(), 'logs')
  const open = (options: Options = {}) => {
    const logs = createLogWriter({ logsDir, groupBytes: 1e8, groupBufferBytes: 1e8, now: () => T0, ...options })
    all.push(logs)
    return logs
  }
  const collect = async (query: LogQuery) => {
    const texts: string[] = []
    for await (const batch of createLogReader(logsDir).read(GROUP, query)) {
      for (const { message } of batch) texts.push(message)
    }
    return texts
  }
  return { logsDir, dir: path.join(logsDir, 'f'), open, collect }
}

t.test('what is being written is described beside it, and a description that is torn is not believed', async (t) => {
  const { logsDir, dir, open, collect } = opener(t)
  const source = { name: 'f', logGroup: GROUP }
  const LINES = 6_000
  const write = (logs: ReturnType<typeof open>, i: number) =>
    logs.write(source, `stream-${Math.floor(i / 1_000)}`, T0 + i, `r-${i}`, 'INFO', `line ${i} ${'.'.repeat(150)}`)
  const logs = open()
  for (let i = 0; i < LINES; i++) {
    write(logs, i)
    // In pieces of all sizes.
    if (i % 700 === 0 || i > 5_950) await logs.flush(GROUP)
  }
  await logs.flush(GROUP)
  const text = path.join(dir, `${FIRST}.ndjson`)
  const notes = path.join(dir, `${FIRST}.blocks.ndjson`)
  const whole = readFileSync(text)
  const records = readFileSync(notes, 'utf8').trimEnd().split('\n')
  const blocks = records.map((record) => JSON.parse(record.slice(9)) as number[])
  t.ok(blocks.length >= 5)
  for (const [i, [offset, bytes]] of blocks.entries()) {
    const [before = 0, size = 0] = blocks[i - 1] ?? []
    t.equal(offset, before + size)
    t.ok(bytes! <= 262_144)
    t.equal(whole[offset! + bytes! - 1], 10, 'whole lines')
  }
  const streams = async () => (await createLogReader(logsDir).streams(GROUP)).map(({ name }) => name)
  const all = Array.from({ length: 6 }, (_, i) => `stream-${i}`)
  t.same(await streams(), all)
  t.same(await collect({ requestId: 'r-1500' }), [`line 1500 ${'.'.repeat(150)}`])

  // With other text under them, only who goes by the descriptions knows of what was there.
  const blank = Buffer.from(whole)
  blank.fill('x', 0, blocks.at(-1)![0]! - 1)
  writeFileSync(text, blank)
  t.same(await streams(), all)
  const described = readFileSync(notes)
  for (const torn of [described.subarray(0, described.indexOf(10) - 5), Buffer.from(described).fill('0', 20, 30)]) {
    writeFileSync(notes, torn)
    t.not((await streams())[0], 'stream-0', 'the text is read')
  }
  writeFileSync(text, whole)
  t.same(await streams(), all)
  t.same(await collect({ requestId: 'r-1500' }), [`line 1500 ${'.'.repeat(150)}`])
  await logs.close()

  // The next writer makes it whole again, and goes on behind it, also where the text is torn.
  truncateSync(text, whole.length - 20)
  truncateSync(notes, described.length - 30)
  const next = open()
  for (let i = LINES; i < LINES + 2_000; i++) write(next, i)
  await next.flush(GROUP)
  const again = readFileSync(notes, 'utf8').trimEnd().split('\n')
  t.same(again.slice(0, records.length), records)
  t.ok(again.length > records.length)
  t.same(await streams(), [...all, 'stream-6', 'stream-7'])
  t.same(await collect({ requestId: 'r-7100' }), [`line 7100 ${'.'.repeat(150)}`])
  t.equal((await collect({})).length, LINES + 2_000 - 1)
  const stored = readdirSync(dir).reduce((sum, name) => sum + readFileSync(path.join(dir, name)).length, 0)
  t.equal(next.counts().storeBytes, stored, 'its bytes count')
  await next.close()
  const last = open({ now: () => T0 + 7_200_000 })
  await last.sweep()
  t.same(readdirSync(dir).sort(), [`${FIRST}.index.json`, `${FIRST}.ndjson.gz`], 'the compressed segment has its own')
  t.same(await collect({ requestId: 'r-1500' }), [`line 1500 ${'.'.repeat(150)}`])
})

t.test('who reads is told what of a log has gone unread, and nothing else', async (t) => {
  const { logsDir, dir, open } = opener(t)
  let now = T0
  const options: Options = { now: () => now, segmentBytes: 1, retentionDays: 1 }
  const logs = open(options)
  const source = { name: 'f', logGroup: GROUP }
  // Segments of two lines each.
  const write = async (writer: typeof logs, ...numbers: number[]) => {
    for (let i = 0; i < numbers.length; i += 2) {
      for (const n of numbers.slice(i, i + 2)) writer.write(source, 's', now, 'r', 'INFO', `line ${n}`)
      await writer.flush(GROUP)
    }
  }
  const removeAll = async (writer: typeof logs) => {
    // After a restart it counts when a file was written.
    now = Math.max(now, Date.now()) + 2 * 86_400_000
    await writer.sweep()
  }
  const reader = createLogReader(logsDir)
  const collect = async (after: LogPosition | undefined, meanwhile?: () => Promise<void>) => {
    const seen: (string | LogLoss)[] = []
    const places: LogPosition[] = []
    for await (const batch of reader.read(GROUP, { after, onLoss: (loss) => seen.push(loss) })) {
      for (const { message, position } of batch) {
        seen.push(message)
        places.push(position)
      }
      await meanwhile?.()
      meanwhile = undefined
    }
    return { seen, places }
  }
  await write(logs, 1, 2, 3, 4, 5, 6)
  const text = readFileSync(path.join(dir, readdirSync(dir).find((name) => name.endsWith('.ndjson'))!))
  const { places } = await collect(undefined)
  const [p1, , , , p5, p6] = places

  const { seen } = await collect(undefined, async () => {
    await removeAll(logs)
    await write(logs, 7)
  })
  t.match(seen, ['line 1', 'line 2', { after: { segment: p1!.segment }, until: p6!, bytes: 2 * text.length }])
  t.same((await collect(seenAll(seen))).seen, ['line 7'], 'once')
  const check = async (name: string) => {
    t.same((await collect(p6)).seen, ['line 7'], `${name}: nothing is behind its last`)
    t.match((await collect(p5)).seen, [{ after: p5!, until: p6!, bytes: text.length - 1 }, 'line 7'], name)
    t.match((await collect(p1)).seen, [{ after: p1!, until: p6!, bytes: 3 * text.length - 1 }, 'line 7'], name)
    t.same((await collect(undefined)).seen, ['line 7'], `${name}: who begins now misses nothing`)
  }
  await check('at once')
  await logs.close()
  const next = open(options)
  await check('after a restart')

  // All is gone, and nothing has come.
  await removeAll(next)
  t.match((await collect(p6)).seen, [{ after: p6! }])
  const end = await reader.end(GROUP)
  t.same((await collect(end)).seen, [], 'the end is behind what is gone')
  await write(next, 8)
  t.same((await collect(end)).seen, ['line 8'])
  // A group that is removed and made again still knows.
  await next.retain({ retention: new Map(), removals: [{ group: GROUP, stream: '', at: now }] })
  t.notOk(readdirSync(logsDir).includes('f'))
  now += 1_000
  await write(next, 9)
  t.match((await collect(end)).seen, [{ after: end }, 'line 9'])
})

/** Where the loss that it was told of ends. */
function seenAll(seen: readonly (string | LogLoss)[]): LogPosition | undefined {
  return seen.flatMap((one) => (typeof one === 'string' ? [] : [one.until])).at(-1)
}
