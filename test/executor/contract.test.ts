import { randomUUID } from 'node:crypto'
import type { FunctionSpec } from '@hearth/executor'
import t from 'tap'
import { startExecutor, valueOf } from '../helpers/executor.ts'
import { eventually } from '../helpers/hearth.ts'

/** What every way to serve events promises alike. */
const BACKENDS: readonly { name: string; spec: Partial<FunctionSpec> }[] = [
  { name: 'process', spec: {} },
  { name: 'concurrent on the main thread', spec: { concurrency: 4 } },
  { name: 'threads', spec: { backend: 'threads', concurrency: 4 } }
]

const SOURCE = `
let count = 0
export const handler = async (event, context) => {
  count++
  switch (event.do) {
    case 'log': console.log('line of', context.awsRequestId); return null
    case 'raw': process.stdout.write('raw line\\n'); return null
    case 'throw': throw new TypeError('not today')
    case 'hang': return new Promise((resolve) => setTimeout(resolve, 60000))
    case 'spin': for (;;) {}
    case 'exit': process.exit(3)
    case 'reject': void Promise.reject(new Error('nobody listens')); return new Promise((resolve) => setTimeout(resolve, 60000))
    case 'large': return 'x'.repeat(7 * 1024 * 1024)
    case 'memory': { const all = []; for (;;) all.push(Buffer.alloc(8 * 1024 * 1024, 1)) }
    case 'sleep': await new Promise((resolve) => setTimeout(resolve, event.ms)); return event
    case 'context': return { ...context, remaining: context.getRemainingTimeInMillis() }
    case 'env': return process.env
    default: return { event, count, pid: process.pid }
  }
}
`

for (const { name, spec } of BACKENDS) {
  t.test(`contract of an instance: ${name}`, async (t) => {
    const codeDir = t.testdir({ 'index.mjs': SOURCE })
    const { pool: open, invoke, lines, exits } = await startExecutor(t)
    const pool = open({ ...spec, codeDir, timeoutMs: 1_500 })

    t.test('answers, cold once and warm from then on, and keeps its globals', async (t) => {
      const first = await invoke(pool, { a: 1 })
      t.match(first, { status: 'ok', cold: true, errorType: '' })
      t.match(valueOf(first), { event: { a: 1 } })
      t.ok(first.phases.initMs > 0)
      t.ok(first.maxMemoryMiB > 0, 'memory is counted')
      const second = await invoke(pool, { a: 2 })
      t.match(second, { status: 'ok', cold: false })
      t.equal(second.phases.initMs, 0)
      t.ok(second.billedMs >= 1)
    })

    t.test('an error of the handler is the caller’s to see, and the instance lives on', async (t) => {
      const before = exits.length
      const outcome = await invoke(pool, { do: 'throw' })
      t.match(outcome, { status: 'error', errorType: 'TypeError' })
      t.match(valueOf(outcome), { errorType: 'TypeError', errorMessage: 'not today', trace: [/^TypeError: not today/] })
      t.equal((await invoke(pool)).cold, false)
      t.equal(exits.length, before)
    })

    t.test('the log has the lines in order, stamped with the request', async (t) => {
      const requestId = randomUUID()
      const outcome = await invoke(pool, { do: 'log' }, { tail: true, requestId })
      const own = lines.filter((line) => line.requestId === requestId).map((line) => line.text)
      t.match(own, [
        `START RequestId: ${requestId} Version: $LATEST`,
        new RegExp(`^\\S+Z\\t${requestId}\\tINFO\\tline of ${requestId}$`),
        `END RequestId: ${requestId}`,
        new RegExp(
          `^REPORT RequestId: ${requestId}\\tDuration: [\\d.]+ ms\\tBilled Duration: \\d+ ms\\tMemory Size: 256 MB\\tMax Memory Used: \\d+ MB\\t$`
        )
      ])
      t.equal(outcome.tail?.toString(), `${own.join('\n')}\n`)
    })

    t.test('context and environment are Lambda’s', async (t) => {
      const requestId = randomUUID()
      const context = valueOf(await invoke(pool, { do: 'context' }, { requestId }))
      t.match(context, {
        functionName: 'sample',
        functionVersion: '$LATEST',
        memoryLimitInMB: '256',
        awsRequestId: requestId,
        invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:sample',
        logGroupName: '/aws/lambda/sample'
      })
      const { remaining } = context as { remaining: number }
      t.ok(remaining > 0 && remaining <= 1_500, `${remaining} ms remain`)
      t.match(valueOf(await invoke(pool, { do: 'env' })), {
        _HANDLER: 'index.handler',
        AWS_REGION: 'us-east-1',
        AWS_LAMBDA_FUNCTION_NAME: 'sample',
        LAMBDA_TASK_ROOT: '/var/task',
        TZ: ':UTC'
      })
    })

    t.test('many at once are each given their own answer', async (t) => {
      const outcomes = await Promise.all(Array.from({ length: 40 }, (_, i) => invoke(pool, { do: 'sleep', ms: 5, i })))
      t.same(
        outcomes.map((outcome) => (valueOf(outcome) as { i: number }).i),
        Array.from({ length: 40 }, (_, i) => i)
      )
    })

    t.test('an answer that is too large is refused as Lambda refuses it', async (t) => {
      const outcome = await invoke(pool, { do: 'large' })
      t.match(outcome, { status: 'error', errorType: 'Function.ResponseSizeTooLarge' })
      t.match(valueOf(outcome), {
        errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).'
      })
    })

    for (const how of ['hang', 'spin']) {
      t.test(`a function that goes on for too long (${how}) is ended, and the next event is served`, async (t) => {
        const outcome = await invoke(pool, { do: how })
        t.match(outcome, { status: 'timeout', errorType: 'Sandbox.Timedout' })
        t.match(valueOf(outcome), { errorMessage: /Error: Task timed out after 1\.50 seconds$/ })
        t.ok(outcome.phases.executeMs >= 1_500 && outcome.phases.executeMs < 5_000, `${outcome.phases.executeMs} ms`)
        t.match(await invoke(pool, { after: how }), { status: 'ok' })
      })
    }

    t.test('process.exit in a handler is a crash with its status', async (t) => {
      const outcome = await invoke(pool, { do: 'exit' })
      t.match(outcome, { status: 'crash', errorType: 'Runtime.ExitError' })
      t.match(valueOf(outcome), { errorMessage: /Runtime exited with error: exit status 3$/ })
      t.match(await invoke(pool), { status: 'ok' })
    })

    t.test('an unhandled rejection fails the event and ends the instance', async (t) => {
      const before = exits.length
      const outcome = await invoke(pool, { do: 'reject' })
      t.match(outcome, { status: 'error', errorType: 'Runtime.UnhandledPromiseRejection' })
      await eventually(() => exits.length > before)
      t.match(await invoke(pool), { status: 'ok' })
    })

    t.test('memory beyond the limit is named as such, by the kernel’s own count', async (t) => {
      const outcome = await invoke(pool, { do: 'memory' })
      t.match(outcome, { status: 'oom', errorType: 'Runtime.OutOfMemory' })
      t.match(valueOf(outcome), { errorType: 'Runtime.ExitError', errorMessage: /signal: killed$/ })
      t.match(await invoke(pool), { status: 'ok' })
    })
  })
}
