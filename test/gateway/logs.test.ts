import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import type { LogWriter } from '@hearth/store'
import t, { type Test } from 'tap'
import { ask, BEARER, record, startGateway } from './harness.ts'

const STREAM = '2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef'

const put = (logs: LogWriter, name: string, text: string, at: number, requestId = 'r-1') =>
  logs.write({ name, logGroup: `/aws/lambda/${name}` }, STREAM, at, requestId, 'INFO', text)
const parse = (text: string | Buffer) =>
  String(text)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { msg: string })

t.test('a function’s log can be asked for at once, and shows nobody else’s', async (t) => {
  const { port, logs } = await startGateway(t)
  put(logs, 'hello', 'one', Date.now() - 3_600_000)
  put(logs, 'hello', 'two', Date.now(), 'r-2')
  put(logs, 'secret', 'not for you', Date.now())
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

t.test(
  'a log is picked from by time, level and text, and a group that functions share shows each its own',
  async (t) => {
    const shared = { ...record('hello').logging, logGroup: '/teams/a#1' }
    const { port, logs } = await startGateway(t, { functions: [record('own'), record('hello', { logging: shared })] })
    const now = Date.now()
    const write = (name: string, level: string, text: string, at = now) =>
      logs.write({ name, logGroup: '/teams/a#1' }, STREAM, at, 'r-1', level, text)
    write('hello', 'DEBUG', 'old needle', now - 7_200_000)
    write('other', 'ERROR', 'of another needle')
    write('hello', 'ERROR', 'bad needle')
    write('hello', 'INFO', 'good')
    await logs.put('/teams/a#1', 'outside', [{ at: now, message: 'from outside needle' }])
    await logs.put('/aws/lambda/own', 'outside', [{ at: now, message: 'from outside' }])
    const read = async (query: string, name = 'hello') =>
      parse((await ask(port, `/v1/functions/${name}/logs${query}`)).body).map(({ msg }) => msg)
    t.same(await read(''), ['old needle', 'bad needle', 'good'])
    t.same(await read('?level=info'), ['bad needle', 'good'])
    t.same(await read('?level=WARN&q=needle'), ['bad needle'])
    t.same(await read('?q=Needle'), [])
    t.same(await read('?until=1h'), ['old needle'])
    t.same(await read('?since=3h&until=1h'), ['old needle'])
    t.same(await read('', 'own'), ['from outside'])
    for (const [query, message] of [
      ['?level=LOUD', /query.level/],
      ['?since=1h&until=2h', /query.until/],
      ['?follow=true&until=1h', /query.until/],
      ['?follow=1', /query.follow/],
      [`?q=${'x'.repeat(1_025)}`, /query.q/],
      ['?since=1h&since=2h', /query.since/]
    ] as const) {
      const answer = await ask(port, `/v1/functions/hello/logs${query}`)
      t.match(answer, { status: 400 }, query)
      t.match(String(answer.body), message)
    }
  }
)

t.test('who follows gets what was there and what comes, once each, also after a break', async (t) => {
  const { port, logs, gateway } = await startGateway(t)
  const write = (i: number) => put(logs, 'hello', `line ${i}`, Date.now())
  const url = '/v1/functions/hello/logs'
  let written = 0
  for (; written < 50; written++) write(written)
  // Lines come all the time while readers come and go.
  const writing = setInterval(() => write(written++), 1)
  t.teardown(() => {
    clearInterval(writing)
  })
  const plain = await openStream(t, port, `${url}?follow=true&since=1h`, {})
  t.equal(plain.type, 'application/x-ndjson')
  const lines = await plain.take(/"line 200"/)
  t.same(
    parse(lines.slice(0, lines.lastIndexOf('\n')))
      .map(({ msg }) => msg)
      .slice(0, 200),
    Array.from({ length: 200 }, (_, i) => `line ${i}`)
  )
  const seen: string[] = []
  let lastId = ''
  for (const until of [/"line 400"/, /"line 600"/]) {
    const events = await openStream(t, port, `${url}?follow=true&since=1h`, {
      accept: 'text/event-stream',
      ...(lastId === '' ? {} : { 'last-event-id': lastId })
    })
    t.equal(events.type, 'text/event-stream')
    const text = await events.take(until)
    for (const event of text.split('\n\n').slice(0, -1)) {
      const match = /^id: (\d+:\d+)\ndata: (.*)$/.exec(event)
      if (match === null) continue
      lastId = match[1]!
      seen.push((JSON.parse(match[2]!) as { msg: string }).msg)
    }
    events.stop()
  }
  t.ok(seen.length >= 600)
  t.same(
    seen,
    Array.from({ length: seen.length }, (_, i) => `line ${i}`),
    'no line is lost or doubled at the seams'
  )
  const newest = await openStream(t, port, `${url}?follow=true&limit=1`, {})
  const [first, second] = parse((await newest.take(/\n.*\n/)).split('\n').slice(0, 2).join('\n')).map(({ msg }) =>
    Number(msg.slice(5))
  )
  t.equal(second, first! + 1, 'the newest, and what comes after it')
  clearInterval(writing)
  for (const id of ['1', 'x:y', '9999999999:1', '-1:0']) {
    const refused = await ask(port, url, { headers: { accept: 'text/event-stream', 'last-event-id': id } })
    t.equal(refused.status, 400, id)
    t.match(JSON.parse(refused.body), { code: 'INVALID_REQUEST', detail: /Last-Event-ID/ })
  }
  await gateway.stop()
  t.same(await Promise.all([plain.ended, newest.ended]), ['whole', 'whole'], 'a server that stops ends them in order')
})

t.test('only so many may follow at once', async (t) => {
  const { port } = await startGateway(t)
  const url = '/v1/functions/hello/logs?follow=true'
  const open = await Promise.all(Array.from({ length: 64 }, () => openStream(t, port, url, {})))
  t.match(await ask(port, url), { status: 429 })
  t.match(await ask(port, '/v1/functions/hello/logs'), { status: 200 })
  for (const stream of open) stream.stop()
  await Promise.all(open.map((stream) => stream.ended))
  for (;;) {
    // Until the server has seen that one is gone.
    const again = await openStream(t, port, url, {})
    again.stop()
    if (again.status === 200) break
  }
})

t.test('who follows is told that the server is there, and of lines that went unread, but of no others', async (t) => {
  let now = Date.now()
  const { port, logs } = await startGateway(t, {
    logStreamTimes: { heartbeatMs: 5, stalledMs: 15_000, lingerMs: 1_000 },
    logs: { now: () => now, retentionDays: 1 }
  })
  const url = '/v1/functions/hello/logs?follow=true&since=1h'
  const accept = 'text/event-stream'
  put(logs, 'hello', 'one', now)
  put(logs, 'hello', 'two', now)
  const idle = await openStream(t, port, url, { accept })
  const before = await idle.take(/"two"[^]*\n:\n\n:\n\n/)
  now += 172_800_000
  await logs.sweep()
  put(logs, 'hello', 'three', now)
  t.notMatch(await idle.take(/"three"/), /event: gap/, 'it had read all that is gone')
  idle.stop()
  const [, first = ''] = /id: (\S+)\ndata: .*"one"/.exec(before) ?? []
  const again = await openStream(t, port, url, { accept, 'last-event-id': first })
  const text = await again.take(/"three"/)
  const [, gap = '{}'] = /event: gap\ndata: (.*)\n\n/.exec(text) ?? []
  t.match(JSON.parse(gap), { reason: 'removed', after: first, until: /^\d+:\d+$/, bytes: Number })
  t.ok(text.indexOf('event: gap') < text.indexOf('"three"'))
  again.stop()
  const lines = await ask(port, '/v1/functions/hello/logs', { headers: { 'last-event-id': first } })
  t.match(
    parse(lines.body),
    [{ level: 'WARN', msg: /^Log lines are missing here: \d+ bytes/, gap: { reason: 'removed' } }, { msg: 'three' }],
    'where only lines are read, one says it'
  )
  const [, last = ''] = /id: (\S+)\ndata: .*"two"/.exec(before) ?? []
  const none = await ask(port, '/v1/functions/hello/logs', { headers: { accept, 'last-event-id': last } })
  t.match(String(none.body), /"three"/)
  t.notMatch(String(none.body), /event: gap/, 'behind the last line of what is gone nothing is missing')
})

t.test('what is removed while somebody reads is named where it is missing', async (t) => {
  let now = Date.now()
  const { port, logs } = await startGateway(t, {
    logs: { now: () => now, retentionDays: 1, groupBytes: 67_108_864, segmentBytes: 1_000_000 }
  })
  const lines = 24 * 9
  await fill(logs, 24)
  const path = '/v1/functions/hello/logs?follow=true&since=1h'
  const { res } = await openUnread(t, port, path)
  // It has begun, and cannot have sent all: that is more than what the system keeps for a connection.
  await once(res, 'readable')
  now += 172_800_000
  await logs.sweep()
  put(logs, 'hello', 'behind it', now)
  let text = ''
  for await (const more of res.setEncoding('utf8')) {
    text += more
    if (/"behind it".*\n\n$/.test(text.slice(-200))) break
  }
  let sent = 0
  let lost = 0
  let gaps = 0
  for (const event of text.split('\n\n').slice(0, -2)) {
    const gap = /^event: gap\ndata: (.*)$/.exec(event)?.[1]
    if (gap === undefined) sent++
    else {
      gaps++
      lost += (JSON.parse(gap) as { bytes: number }).bytes
    }
  }
  t.ok(sent > 0 && gaps > 0, `${gaps} gaps`)
  // A line has 100,000 characters and what stands before them.
  t.equal(sent + Math.floor(lost / 100_000), lines, `${sent} lines, ${lost} bytes`)
})

t.test('who takes nothing is let go, and told so', async (t) => {
  const { port, logs } = await startGateway(t, {
    logStreamTimes: { heartbeatMs: 15_000, stalledMs: 20, lingerMs: 60_000 },
    logs: { groupBytes: 67_108_864 }
  })
  // More than what the system keeps for a connection.
  await fill(logs, 24)
  const { res } = await openUnread(t, port, '/v1/functions/hello/logs?follow=true&since=1h')
  // Nothing is read until the server has given up.
  for (;;) if (/_gaps_total\{reason="slow"\} 1/.test(String((await ask(port, '/metrics')).body))) break
  let text = ''
  for await (const more of res.setEncoding('utf8')) text += more
  t.match(text.slice(-200), /event: gap\ndata: \{"reason":"slow",[^\n]*\}\n\n$/)
  t.ok(text.split('\nid: ').length < 24 * 9)
})

/** Lines of 100,000 characters: nine a megabyte. */
async function fill(logs: LogWriter, megabytes: number) {
  for (let i = 0; i < megabytes; i++) {
    for (let n = 0; n < 9; n++) put(logs, 'hello', 'x'.repeat(100_000), Date.now())
    await logs.flush('/aws/lambda/hello')
  }
}

/** An answer of events whose body nobody takes yet. */
async function openUnread(t: Test, port: number, path: string) {
  const headers = { authorization: BEARER, accept: 'text/event-stream' }
  const req = http.get({ host: '127.0.0.1', port, path, agent: false, headers })
  req.on('error', () => undefined)
  t.teardown(() => req.destroy())
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  return { res }
}

/** An answer that goes on. */
async function openStream(t: Test, port: number, path: string, headers: Record<string, string>) {
  const req = http.get({ host: '127.0.0.1', port, path, agent: false, headers: { authorization: BEARER, ...headers } })
  req.on('error', () => undefined)
  t.teardown(() => req.destroy())
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  let text = ''
  let check = (): void => undefined
  res.setEncoding('utf8').on('error', () => undefined)
  res.on('data', (more: string) => {
    text += more
    check()
  })
  return {
    status: res.statusCode,
    type: res.headers['content-type'],
    /** How it ended. */
    ended: new Promise<'whole' | 'cut'>((resolve) => {
      res.once('close', () => {
        resolve(res.complete ? 'whole' : 'cut')
      })
    }),
    /** @returns all that has come, once it has that */
    take: (wanted: RegExp) =>
      new Promise<string>((resolve) => {
        check = () => {
          if (wanted.test(text)) resolve(text)
        }
        check()
      }),
    stop: () => void req.destroy()
  }
}
