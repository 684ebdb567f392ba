import { copyFileSync, cpSync, linkSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { builtLambdaRic } from '../helpers/aws-lambda-ric.ts'
import { startExecutor, type TestExecutor, valueOf } from '../helpers/executor.ts'
import { eventually, ROOT } from '../helpers/hearth.ts'

// The client is compiled the first time.
t.setTimeout(400_000)

const codeDir = t.testdir({})
cpSync(path.join(ROOT, 'test/fixtures/functions/custom/ric'), codeDir, { recursive: true })
cpSync(builtLambdaRic(), path.join(codeDir, 'node_modules/aws-lambda-ric'), { recursive: true })
mkdirSync(path.join(codeDir, 'bin'))
try {
  linkSync(process.execPath, path.join(codeDir, 'bin/node'))
} catch {
  // Another file system.
  copyFileSync(process.execPath, path.join(codeDir, 'bin/node'))
}

function functions(box: TestExecutor) {
  return (handler: string) =>
    box.pool({ name: 'ric', codeDir, runtime: 'provided.al2023', handler: `app.${handler}`, memoryMiB: 256 })
}

t.test('AWS’s own client serves a package with its own Node.js', async (t) => {
  const box = await startExecutor(t)
  const pool = functions(box)
  const event = { text: 'ä€😀', list: [1, { a: null }] }
  t.same(valueOf(await box.invoke(pool('echo'), event)), event)
  const warm = pool('warm')
  for (let n = 1; n <= 3; n++) t.equal(valueOf(await box.invoke(warm)), n, 'one instance')

  const requestId = '11111111-1111-4111-8111-111111111111'
  const traceId = 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1'
  const clientContext = { custom: { a: 'x' }, client: { app_title: 'shop' } }
  const options = { requestId, traceId, clientContext: JSON.stringify(clientContext) }
  const seen = valueOf(await box.invoke(pool('context'), {}, options)) as { remaining: number[] }
  t.match(seen, {
    functionName: 'ric',
    functionVersion: '$LATEST',
    memoryLimitInMB: '256',
    logGroupName: '/aws/lambda/sample',
    logStreamName: /\[\$LATEST\]/,
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:ric',
    awsRequestId: requestId,
    clientContext,
    traceId
  })
  const [first = 0, second = 0] = seen.remaining
  t.ok(first > 5_000 && first <= 10_000 && first - second >= 95, `${first} ms, then ${second} ms`)
})

t.test('errors arrive as the client words them', async (t) => {
  const box = await startExecutor(t)
  const pool = functions(box)
  const fail = pool('fail')
  for (let time = 0; time < 2; time++) {
    const requestId = `22222222-2222-4222-8222-22222222222${time}`
    const outcome = await box.invoke(fail, {}, { requestId })
    t.equal(outcome.status, 'error')
    t.equal(outcome.cold, time === 0, 'the instance goes on')
    t.match(valueOf(outcome), {
      errorType: 'OrderError',
      errorMessage: 'no such order',
      trace: [/^(OrderError|Error): no such order$/, /at .*fail .*app\.mjs/]
    })
    // What is printed travels apart from the answer, and may come when the event is over: the client's own words tell whose it is.
    await eventually(() => box.lines.some(({ text }) => text.includes(`\t${requestId}\tERROR\tabout to fail`)))
  }
  t.match(valueOf(await box.invoke(pool('cycle'))), { errorMessage: 'Unable to stringify response body' })
  // The client leaves these to Node.js, which ends with status 1.
  t.match(valueOf(await box.invoke(pool('stray'))), { errorType: 'Runtime.ExitError', errorMessage: /exit status 1$/ })
  for (const [handler, errorType, errorMessage] of [
    ['callback', 'Runtime.CallbackHandlerDeprecated', /removed support for callback-based/],
    ['nowhere', 'Runtime.HandlerNotFound', 'app.nowhere is undefined or not exported'],
    ['noFunction', 'Runtime.HandlerNotFound', 'app.noFunction is not a function']
  ] as const) {
    const outcome = await box.invoke(pool(handler))
    t.equal(outcome.status, 'init_error')
    t.match(valueOf(outcome), { errorType, errorMessage })
  }
})

t.test('its streams are collected', async (t) => {
  const box = await startExecutor(t)
  const pool = functions(box)
  const stream = pool('stream')
  for (const parts of [
    ['a', 'b', 'c'],
    ['x'.repeat(300_000), 'y'.repeat(300_000)]
  ]) {
    const outcome = await box.invoke(stream, { parts })
    t.equal(outcome.status, 'ok')
    t.equal(outcome.payload.toString(), parts.join(''))
  }
  const prelude = '{"statusCode":201,"headers":{"x-own":"yes"}}'
  t.equal((await box.invoke(pool('http'))).payload.toString(), `${prelude}${'\0'.repeat(8)}made`)
  const broken = await box.invoke(pool('brokenStream'))
  t.equal(broken.status, 'error')
  t.match(valueOf(broken), { errorType: 'OrderError', errorMessage: 'half-way' })
})
