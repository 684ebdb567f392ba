import { MAX_RESPONSE_BYTES } from '@hearth/executor/internal/protocol'
import { LIMITS } from '@hearth/shared'
import t, { type Test } from 'tap'
import { ARN, type InvokeOptions, type Message, NodeProcess, requestIdOf } from './node-process.ts'

// Many processes are started here, and the machine may be busy.
t.setTimeout(120_000)

type Init = Parameters<NodeProcess['init']>[0]

/** How an instance may serve events: the same table of functions must hold for each. */
const BACKENDS = {
  process: { backend: 'process', concurrency: 1, threads: 0 },
  'main thread, many at once': { backend: 'threads', concurrency: 8, threads: 0 },
  'worker threads': { backend: 'threads', concurrency: 8, threads: 2 }
} as const

async function start(t: Test, init: Init): Promise<{ node: NodeProcess; first: Message }> {
  const node = new NodeProcess()
  t.teardown(() => node.close())
  return { node, first: await node.init(init) }
}

interface Case {
  readonly handler: string
  /** Not through `shapes.any`, which is not declared async and lets many shapes share an instance. */
  readonly own?: boolean
  readonly event?: unknown
  readonly options?: InvokeOptions
  readonly runtime?: string
  readonly result?: unknown
  readonly error?: { readonly errorType: string; readonly errorMessage: string; readonly trace?: unknown }
}

const CASES: Record<string, Case> = {
  'an async handler answers': {
    handler: 'shapes.async',
    event: { a: 1 },
    result: { event: { a: 1 } }
  },
  'an empty payload is an empty object': { handler: 'shapes.promise', own: true, result: {} },
  'a returned promise decides': {
    handler: 'shapes.promise',
    event: ['ä', '\u2028', '😀'],
    result: ['ä', '\u2028', '😀']
  },
  'a returned thenable decides': { handler: 'shapes.thenable', result: 'thenable' },
  'a returned value is null up to nodejs22.x': { handler: 'shapes.value', result: null },
  'a returned value counts from nodejs24.x on': {
    handler: 'shapes.value',
    runtime: 'nodejs24.x',
    result: 'ignored up to nodejs22.x'
  },
  'a callback answers': { handler: 'shapes.callback', event: 1, result: 1 },
  'a late callback answers': { handler: 'shapes.lateCallback', event: 2, result: 2 },
  'a callback waits for an empty event loop': {
    handler: 'shapes.callbackAfterLoop',
    result: ['the loop was not empty']
  },
  'a callback need not wait': { handler: 'shapes.callbackAtOnce', own: true, event: 3, result: 3 },
  'the first callback counts': { handler: 'shapes.callbackTwice', result: 'first' },
  'context.succeed answers': { handler: 'shapes.succeed', event: 4, result: 4 },
  'context.done answers': { handler: 'shapes.done', event: 5, result: 5 },
  'context.fail fails': { handler: 'shapes.fail', error: { errorType: 'string', errorMessage: 'no', trace: [] } },
  'a handler that never answers is null': { handler: 'shapes.nothing', result: null },
  'undefined is null': { handler: 'shapes.undefined', result: null },
  'a promise that never settles is an error': {
    handler: 'shapes.never',
    own: true,
    error: { errorType: 'Runtime.NodeJsExit', errorMessage: '' }
  },
  'a handler may take its time': { handler: 'shapes.slow', event: { ms: 5 }, result: { ms: 5 } },
  'a thrown error is described': { handler: 'shapes.throws', error: { errorType: 'Custom', errorMessage: 'at once' } },
  'a rejection is described': { handler: 'shapes.rejects', error: { errorType: 'Custom', errorMessage: 'later' } },
  'an error given to the callback is described': {
    handler: 'shapes.callbackError',
    error: { errorType: 'Custom', errorMessage: 'by callback' }
  },
  'a thrown string is described': {
    handler: 'shapes.throwsString',
    error: { errorType: 'string', errorMessage: 'text', trace: [] }
  },
  'a thrown object is described': {
    handler: 'shapes.throwsObject',
    error: { errorType: 'object', errorMessage: '[object Object]', trace: [] }
  },
  'a rejection with nothing is `handled` up to nodejs22.x': {
    handler: 'shapes.throwsUndefined',
    error: { errorType: 'string', errorMessage: 'handled', trace: [] }
  },
  'a rejection with nothing is just that from nodejs24.x on': {
    handler: 'shapes.throwsUndefined',
    runtime: 'nodejs24.x',
    error: { errorType: 'undefined', errorMessage: 'undefined', trace: [] }
  },
  'an error that cannot be read is an error': {
    handler: 'shapes.throwsHostile',
    error: { errorType: 'handled', errorMessage: '' }
  },
  'a proxy that throws is an error': {
    handler: 'shapes.throwsProxy',
    error: { errorType: 'handled', errorMessage: '' }
  },
  'a cyclic error is an error': {
    handler: 'shapes.throwsCyclic',
    error: { errorType: 'Error', errorMessage: 'cyclic' }
  },
  'a cyclic result is an error': {
    handler: 'shapes.cyclicResult',
    error: { errorType: 'Runtime.JSONStringifyError', errorMessage: 'Unable to stringify response body' }
  },
  'a result without JSON is null': { handler: 'shapes.functionResult', result: null },
  'client context that is no JSON is an error': {
    handler: 'shapes.async',
    options: { clientContext: '{' },
    error: { errorType: 'Error', errorMessage: 'Cannot parse ClientContext as json: ' }
  },
  'modules load with dir/file.export.nested': { handler: 'nested/deep/file.api.v1.get', result: 'nested' },
  'modules load as the package says, with top-level await': {
    handler: 'module-package/index.handler',
    result: 'after a top-level await'
  },
  'a file without extension loads': { handler: 'plain.handler', result: 'no extension' },
  'a function that breaks built-ins breaks only itself': {
    handler: 'shapes.vandal',
    own: true,
    event: 6,
    result: { event: 6 }
  }
}

for (const [name, backend] of Object.entries(BACKENDS)) {
  t.test(`${name}: every handler shape gives Lambda's answer, twice`, async (t) => {
    const { node: shared } = await start(t, { handler: 'shapes.any', ...backend })
    let seq = 0
    for (const [title, expected] of Object.entries(CASES)) {
      const { handler, runtime = 'nodejs20.x' } = expected
      const own = expected.own === true || !handler.startsWith('shapes.') || expected.runtime !== undefined
      const node = own ? (await start(t, { handler, runtime, ...backend })).node : shared
      const event = own ? expected.event : { shape: handler.slice('shapes.'.length), event: expected.event }
      // The second one proves that the first left the instance as it should be.
      for (const time of ['first', 'second']) {
        const answer = await node.invoke(++seq, event, expected.options)
        const body: unknown = JSON.parse(answer.text)
        if (expected.error === undefined) {
          t.equal(answer.kind, 'result', `${title}: ${time}`)
          t.strictSame(body, expected.result)
          continue
        }
        const error = body as { errorType: string; errorMessage: string; trace: string[] }
        t.equal(answer.kind, 'error', `${title}: ${time}`)
        t.equal(answer.type, expected.error.errorType)
        t.strictSame(Object.keys(error), ['errorType', 'errorMessage', 'trace'])
        t.equal(error.errorType, expected.error.errorType)
        t.ok(error.errorMessage.startsWith(expected.error.errorMessage), error.errorMessage)
        if (expected.error.trace !== undefined) t.strictSame(error.trace, expected.error.trace)
        const stamp = `^\\S+Z\\t${requestIdOf(seq)}\\tERROR\\tInvoke Error \\t{"errorType":"`
        t.match(node.logs(seq).at(-1), new RegExp(stamp))
      }
      if (own) await node.close()
    }
  })

  t.test(`${name}: what ends the instance is told to its event, and with the exit code`, async (t) => {
    const cases = [
      {
        handler: 'shapes.uncaught',
        type: 'Custom',
        message: 'in the background',
        code: 129,
        kind: 'Uncaught Exception'
      },
      {
        handler: 'shapes.unhandled',
        type: 'Runtime.UnhandledPromiseRejection',
        message: 'Custom: nobody looks',
        code: 128,
        kind: 'Unhandled Promise Rejection'
      }
    ]
    for (const { handler, type, message, code, kind } of cases) {
      const { node } = await start(t, { handler, ...backend })
      const answer = await node.invoke(1, {})
      t.equal(answer.kind, 'error', handler)
      t.equal(answer.type, type)
      t.match(JSON.parse(answer.text), { errorType: type, errorMessage: message, trace: [`${type}: ${message}`] })
      t.match(node.logs(1).at(-1), `\tERROR\t${kind} \t{"errorType":"${type}"`)
      t.strictSame(await node.exited, { code, signal: null })
    }
    for (const code of [0, 1, 7]) {
      const { node } = await start(t, { handler: 'shapes.exit', ...backend })
      await t.rejects(node.invoke(1, { code }), `an event that calls process.exit(${code}) has no answer`)
      t.strictSame(await node.exited, { code, signal: null })
    }
  })

  t.test(`${name}: the context has all of Lambda's members`, async (t) => {
    const { node } = await start(t, { handler: 'shapes.context', ...backend })
    const clientContext = '{"custom":{"k":"v"}}'
    const answer = await node.invoke(1, {}, { clientContext, deadlineMs: Date.now() + 2000 })
    const context = JSON.parse(answer.text) as Record<string, unknown>
    t.match(context, {
      functionName: 'f',
      functionVersion: '$LATEST',
      memoryLimitInMB: '256',
      logGroupName: '/aws/lambda/f',
      logStreamName: '2026/01/02/[$LATEST]0123',
      invokedFunctionArn: ARN,
      awsRequestId: requestIdOf(1),
      clientContext: { custom: { k: 'v' } },
      callbackWaitsForEmptyEventLoop: true,
      methods: ['function', 'function', 'function']
    })
    const remaining = context['remaining'] as number
    t.ok(remaining > 1000 && remaining <= 2000, String(remaining))
    t.strictSame(
      (context['keys'] as string[]).filter((key) => key === 'identity'),
      ['identity']
    )

    const { node: modern } = await start(t, { handler: 'shapes.context', runtime: 'nodejs24.x', ...backend })
    const body = JSON.parse((await modern.invoke(1, {})).text) as Record<string, unknown>
    t.strictSame(body['methods'], ['undefined', 'undefined', 'undefined'])
    t.notOk('callbackWaitsForEmptyEventLoop' in body)
  })

  t.test(`${name}: the environment is what the gateway says and nothing else`, async (t) => {
    const { node } = await start(t, { handler: 'shapes.environment', ...backend })
    const traceId = 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700'
    const read = async (seq: number, options: InvokeOptions) =>
      JSON.parse((await node.invoke(seq, {}, options)).text) as {
        env: Record<string, string>
        cwd: string
        layer: string
      }
    const traced = await read(1, { traceId })
    t.equal(traced.env['_X_AMZN_TRACE_ID'], backend.concurrency === 1 ? traceId : undefined)
    const plain = await read(2, {})
    // The test runner's own hook puts its names into every thread.
    const names = Object.keys(plain.env).filter((name) => !name.startsWith('_TAPJS_'))
    t.strictSame(names.sort(), ['AWS_LAMBDA_FUNCTION_NAME', 'NODE_PATH', 'PATH'])
    t.match(plain.cwd, /functions\/node$/)
    t.equal(plain.layer, 'from a layer', 'modules of layers are found through NODE_PATH')
  })

  t.test(`${name}: text log lines are stamped and come before the answer`, async (t) => {
    const { node } = await start(t, { handler: 'shapes.logs', ...backend })
    await node.invoke(1, {})
    const stamp = `Z\t${requestIdOf(1)}\t`
    const lines = node.logs(1)
    t.equal(node.messages.at(-1)?.kind, 'result', 'nothing comes after the answer')
    for (const line of lines) t.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t/)
    const texts = lines.map((line) => line.slice(line.indexOf(stamp) + stamp.length))
    t.strictSame(texts.slice(0, 5), [
      'INFO\ttext 1 { a: [ 1 ] }',
      'TRACE\tt',
      'DEBUG\td',
      'INFO\ti',
      'WARN\ttwo\nlines'
    ])
    t.match(texts[5], /^ERROR\tTypeError: bad\n {4}at /)
    t.equal(texts[6], 'FATAL\tf')
    t.match(texts[9], 'INFO\t<ref *1> { self: [Circular *1] }')
    t.equal(texts.length, 11)
    t.strictSame(
      node.messages.filter((m) => m.kind === 'log').map((m) => m.type),
      ['INFO', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'INFO', 'INFO', 'INFO', 'INFO']
    )
  })

  t.test(`${name}: JSON log lines carry the message, errors and the request id, from the level on`, async (t) => {
    const { node } = await start(t, { handler: 'shapes.logs', logFormat: 'JSON', logLevel: 'INFO', ...backend })
    await node.invoke(1, {})
    const lines = node.logs(1).map((line) => JSON.parse(line) as Record<string, unknown>)
    t.equal(lines.length, 9, 'TRACE and DEBUG are left out')
    for (const line of lines) t.match(line, { timestamp: /Z$/, requestId: requestIdOf(1) })
    t.match(lines, [
      { level: 'INFO', message: 'text 1 { a: [ 1 ] }' },
      { level: 'INFO', message: 'i' },
      { level: 'WARN', message: 'two\nlines' },
      { level: 'ERROR', message: { errorType: 'TypeError', errorMessage: 'bad', stackTrace: ['TypeError: bad'] } },
      { level: 'FATAL', message: 'f' },
      { level: 'INFO', message: { n: 1, nested: { error: { errorType: 'RangeError', errorMessage: 'inside' } } } },
      {
        level: 'INFO',
        message: /^failed TypeError: beside/,
        errorType: 'TypeError',
        errorMessage: 'beside',
        stackTrace: []
      },
      { level: 'INFO', message: '<ref *1> { self: [Circular *1] }' },
      { level: 'INFO' }
    ])
    t.strictSame(Object.keys(lines[0] ?? {}), ['timestamp', 'level', 'requestId', 'message'])
  })

  t.test(`${name}: a large answer passes up to Lambda's limit, and a long line in pieces`, async (t) => {
    t.equal(MAX_RESPONSE_BYTES, LIMITS.responsePayloadBytes)
    const { node } = await start(t, { handler: 'shapes.large', ...backend })
    t.equal((await node.invoke(1, { chars: MAX_RESPONSE_BYTES - 2 })).text.length, MAX_RESPONSE_BYTES)
    const refused = await node.invoke(2, { chars: MAX_RESPONSE_BYTES - 1 })
    t.equal(refused.type, 'Function.ResponseSizeTooLarge')
    t.equal(
      refused.text,
      '{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}'
    )
    t.equal((await node.invoke(3, { chars: 3 })).text, '"xxx"')
    t.match((await node.invoke(4, { chars: 1, more: 'y'.repeat(6_000_000) })).text, '"x"', 'a large event passes too')

    const { node: logs } = await start(t, { handler: 'shapes.longLog', ...backend })
    await logs.invoke(1, { chars: 300_000 })
    t.equal(logs.logs(1).join('').split('\t').at(-1), 'ä'.repeat(300_000))
    t.ok(logs.logs(1).length > 1)
  })
}

t.test('events at once have their own log lines and answers, on the main thread and on workers', async (t) => {
  for (const backend of [BACKENDS['main thread, many at once'], BACKENDS['worker threads']]) {
    const { node } = await start(t, { handler: 'shapes.logsOfTwo', ...backend })
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const answers = await Promise.all(names.map((name, i) => node.invoke(i + 1, { name, ms: 40 - i * 5 })))
    t.strictSame(
      answers.map((answer) => JSON.parse(answer.text) as unknown),
      names
    )
    const order = node.messages.filter((m) => m.kind === 'result').map((m) => m.seq)
    t.not(order[0], 1, 'the first event does not hold up the others')
    names.forEach((name, i) => {
      const stamp = `\t${requestIdOf(i + 1)}\tINFO\t`
      t.strictSame(
        node.logs(i + 1).map((line) => line.slice(line.indexOf(stamp))),
        [`${stamp}${name} begins`, `${stamp}${name} ends`]
      )
    })
  }
})

t.test('a worker that ends takes the instance with it, after what is answered', async (t) => {
  const { node } = await start(t, { handler: 'counter.handler', ...BACKENDS['worker threads'] })
  const quick = await node.invoke(1, { n: 1 })
  t.equal(quick.kind, 'result')
  const waiting = node.invoke(2, { sleepMs: 10_000 })
  waiting.catch(() => undefined)
  await t.rejects(node.invoke(3, { exit: 3 }))
  await t.rejects(waiting)
  t.strictSame(await node.exited, { code: 3, signal: null })
})

t.test('what cannot be initialised says why as Lambda does', async (t) => {
  const taskRoot = t.testdir({
    'package.json': '{}',
    'missing.js': "require('./lib')",
    'lib.js': "require('nowhere')",
    'syntax.js': 'exports.handler = async () => {',
    'throws.mjs': "throw new TypeError('at import')",
    'imports.mjs': "import 'nowhere'",
    'exits.js': 'process.exit(3)',
    'rejects.js': "Promise.reject(new Error('unseen')); exports.handler = async () => {}",
    'background.js': "process.nextTick(() => { throw new Error('stray') }); exports.handler = async () => {}",
    'never.mjs': 'await new Promise(() => {})',
    'empty.js': 'exports.handler = 5; exports.old = (a, b, c) => {}'
  })
  const stack = 'Require stack:'
  const cases: { handler: string; runtime?: string; type?: string; message?: string; exit: number; trace?: RegExp }[] =
    [
      {
        handler: 'missing.handler',
        type: 'Runtime.ImportModuleError',
        message: `Error: Cannot find module 'nowhere'\n${stack}\n- ${taskRoot}/lib.js\n- ${taskRoot}/missing.js\n- /var/runtime/index.mjs`,
        exit: 129
      },
      {
        handler: 'gone.handler',
        type: 'Runtime.ImportModuleError',
        message: `Error: Cannot find module 'gone'\n${stack}\n- /var/runtime/index.mjs`,
        exit: 129
      },
      {
        handler: 'syntax.handler',
        type: 'Runtime.UserCodeSyntaxError',
        message: 'SyntaxError: Unexpected end of input',
        exit: 129,
        trace: /syntax\.js:1/
      },
      {
        handler: 'throws.handler',
        type: 'TypeError',
        message: 'at import',
        exit: 129,
        trace: /^TypeError: at import$/
      },
      {
        handler: 'imports.handler',
        type: 'Error',
        message: `Cannot find package 'nowhere' imported from ${taskRoot}/imports.mjs`,
        exit: 129
      },
      {
        handler: 'empty.gone',
        type: 'Runtime.HandlerNotFound',
        message: 'empty.gone is undefined or not exported',
        exit: 129
      },
      {
        handler: 'empty.handler',
        type: 'Runtime.HandlerNotFound',
        message: 'empty.handler is not a function',
        exit: 129
      },
      { handler: 'empty', type: 'Runtime.MalformedHandlerName', message: 'Bad handler', exit: 129 },
      {
        handler: '../x.handler',
        type: 'Runtime.MalformedHandlerName',
        message:
          "'../x.handler' is not a valid handler name. Use absolute paths when specifying root directories in handler names.",
        exit: 129
      },
      {
        handler: 'empty.old',
        runtime: 'nodejs24.x',
        type: 'Runtime.CallbackHandlerDeprecated',
        message: 'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24.',
        exit: 129
      },
      {
        handler: 'rejects.handler',
        type: 'Runtime.UnhandledPromiseRejection',
        message: 'Error: unseen',
        exit: 128,
        trace: /^Runtime\.UnhandledPromiseRejection: Error: unseen$/
      },
      { handler: 'background.handler', type: 'Error', message: 'stray', exit: 129 },
      { handler: 'exits.handler', exit: 3 },
      { handler: 'never.handler', exit: 13 }
    ]
  for (const backend of [BACKENDS.process, BACKENDS['worker threads']]) {
    for (const { handler, runtime = 'nodejs20.x', type, message, exit, trace } of cases) {
      // A worker's event loop never ends, so that an import that never settles runs into the limit of init there.
      if (handler === 'never.handler' && backend.threads > 0) continue
      const node = new NodeProcess()
      t.teardown(() => node.close())
      if (type === undefined) {
        await t.rejects(node.init({ handler, taskRoot, runtime, ...backend }), handler)
      } else {
        const failure = await node.init({ handler, taskRoot, runtime, ...backend })
        t.equal(failure.kind, 'init_error', handler)
        t.equal(failure.type, type)
        const body = JSON.parse(failure.text) as { errorType: string; errorMessage: string; trace: string[] }
        t.strictSame(Object.keys(body), ['errorType', 'errorMessage', 'trace'])
        t.equal(body.errorType, type)
        t.ok(body.errorMessage.startsWith(message ?? ''), body.errorMessage)
        if (trace !== undefined) t.match(body.trace[0], trace)
        t.match(
          node.logs(0).at(-1),
          /Z\tundefined\tERROR\t(Uncaught Exception|Unhandled Promise Rejection) \t\{"errorType":"/
        )
      }
      t.strictSame(await node.exited, { code: exit, signal: null }, handler)
      await node.close()
    }
  }
})

t.test('a handler with a callback hears that its time is up, unless it knows', async (t) => {
  const { node } = await start(t, { handler: 'shapes.callback' })
  t.match(node.logs(0), [/\tWARN\tThis handler uses a callback/])
  const env = { AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING: '1' }
  const { node: silent } = await start(t, { handler: 'shapes.callback', env })
  t.strictSame(silent.logs(0), [])
})

t.test('output past the console stays raw', async (t) => {
  const { node } = await start(t, { handler: 'shapes.rawOutput' })
  await node.invoke(1, {})
  node.channel.end()
  t.strictSame(await node.exited, { code: 0, signal: null }, 'an instance whose gateway is gone ends')
  t.match(node.output, 'raw out\n')
  t.match(node.output, 'raw err\n')
})
