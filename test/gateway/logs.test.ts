import type { LogWriter } from '@hearth/store'
import t from 'tap'
import { ask, startGateway } from './harness.ts'

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
