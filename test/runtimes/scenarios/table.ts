import { randomUUID } from 'node:crypto'
import type { FunctionPool, FunctionSpec, Outcome } from '@hearth/executor'
import type { Test } from 'tap'
import { type LogLine, type TestExecutor, valueOf } from '../../helpers/executor.ts'
import { eventually } from '../../helpers/hearth.ts'
import type { Column, Scenario, Worded } from './column.ts'

/** One scenario's function in one runtime. */
export interface Run {
  readonly t: Test
  readonly column: Column
  readonly spec: FunctionSpec
  /** Sends an event; each call is one. */
  readonly call: (event?: unknown, options?: { clientContext?: string; traceId?: string }) => Promise<Outcome>
  /** The value that the handler answered. */
  readonly value: (event?: unknown, options?: { clientContext?: string; traceId?: string }) => Promise<unknown>
  /** Log lines of the last call's request so far. */
  readonly lines: () => LogLine[]
  /** The same once its REPORT is there. */
  readonly log: () => Promise<LogLine[]>
  readonly requestId: string
}

export function openRun(t: Test, column: Column, scenario: Scenario, box: TestExecutor, codeDir: string): Run {
  const pool: FunctionPool = box.pool({
    name: scenario.replaceAll('_', '-'),
    codeDir,
    runtime: column.runtime,
    handler: column.handler(scenario),
    memoryMiB: column.memoryMiB,
    timeoutMs: scenario === 'timeout' ? 1_000 : 20_000,
    environment: { OWN: 'välue' }
  })
  t.teardown(() => {
    pool.retire()
  })
  let requestId = ''
  const lines = () => box.lines.filter((line) => line.requestId === requestId)
  const call: Run['call'] = (event = {}, options = {}) => {
    requestId = randomUUID()
    return box.invoke(pool, event, { ...options, requestId })
  }
  return {
    t,
    column,
    spec: pool.spec,
    call,
    async value(event, options) {
      const outcome = await call(event, options)
      t.equal(outcome.status, 'ok', 'it answers', { payload: outcome.payload.toString().slice(0, 2_000) })
      return valueOf(outcome)
    },
    lines,
    log: () =>
      eventually(() => {
        const all = lines()
        return all.at(-1)?.text.startsWith('REPORT ') === true ? all : undefined
      }),
    get requestId() {
      return requestId
    }
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const LARGE = 5_900_000

/** What each scenario must show, whatever the language. */
export const TABLE: Readonly<Record<Scenario, (run: Run) => Promise<void>>> = {
  async echo({ t, value, log }) {
    const event = { text: 'a"\\\n', number: 1.5, big: 12_345_678_901, list: [1, [2]], object: { a: null }, yes: true }
    t.same(await value(event), event)
    t.same(await value({}), {})
    const texts = (await log()).map(({ text }) => text)
    t.match(texts[0], /^START RequestId: \S+ Version: \$LATEST$/)
    t.match(texts.at(-2), /^END RequestId: /)
    t.match(
      texts.at(-1),
      /^REPORT RequestId: \S+\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: \d+ MB\tMax Memory Used: \d+ MB\t$/
    )
  },

  async context(run) {
    const seen = (await run.value()) as Record<string, unknown>
    run.t.match(seen, {
      functionName: 'context',
      functionVersion: '$LATEST',
      logGroupName: '/aws/lambda/sample',
      logStreamName: /^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/,
      awsRequestId: UUID,
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:context'
    })
    run.t.equal(seen['awsRequestId'], run.requestId)
    run.t.equal(Number(seen['memoryLimitInMB']), run.column.memoryMiB)
    const remaining = Number(seen['remaining'])
    run.t.ok(remaining > 15_000 && remaining <= 20_000, `${remaining} ms of 20 s are left`)
  },

  async environment({ t, value, spec }) {
    const trace = 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1'
    const seen = (await value({}, { traceId: trace })) as Record<string, string>
    t.match(seen, {
      OWN: 'välue',
      _HANDLER: spec.handler,
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: /^http:\/\/127\.0\.0\.1:\d+$/,
      AWS_ACCESS_KEY_ID: 'ASIAIOSFODNN7EXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      AWS_SESSION_TOKEN: 'AQoDYXdzEJr+/token=',
      AWS_LAMBDA_FUNCTION_NAME: 'environment',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(spec.memoryMiB),
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/sample',
      LAMBDA_TASK_ROOT: '/var/task',
      LAMBDA_RUNTIME_DIR: '/var/runtime',
      LANG: 'en_US.UTF-8',
      TZ: ':UTC'
    })
    t.equal(seen['AWS_EXECUTION_ENV'], spec.runtime.startsWith('provided') ? undefined : `AWS_Lambda_${spec.runtime}`)
    for (const name of Object.keys(seen)) t.notMatch(name, /HEARTH|^BASH_FUNC/i, 'nothing of the server')
  },

  async nothing({ t, value }) {
    t.equal(await value(), null)
  },

  async text({ t, value }) {
    t.equal(await value(), 'hellö')
  },

  error: worded('error'),
  custom_error: worded('custom_error'),
  unserializable: worded('unserializable'),

  async later({ t, call }) {
    const outcome = await call()
    t.equal(valueOf(outcome), 'later')
    t.ok(outcome.phases.executeMs >= 49, `${outcome.phases.executeMs} ms`)
  },

  async big_in({ t, value }) {
    t.equal(await value({ data: 'y'.repeat(LARGE) }), LARGE)
    t.equal(await value({ data: 'short' }), 5)
  },

  async big_out({ t, value, call }) {
    t.equal(((await value({ count: LARGE })) as string).length, LARGE)
    const tooBig = await call({ count: 7_000_000 })
    t.equal(tooBig.status, 'error')
    t.match(valueOf(tooBig), {
      errorType: 'Function.ResponseSizeTooLarge',
      errorMessage: /exceeded maximum allowed payload size \(6291556 bytes\)\.$/
    })
    t.equal(((await value({ count: 3 })) as string).length, 3, 'and goes on')
  },

  async unicode({ t, value }) {
    const text = '\u{1f600} ä \u2028 \ud83d\ude80 \u0001'
    t.same(await value({ text }), { given: text, own: 'ä€😀\0' })
  },

  init_error: initWorded('init_error'),
  syntax_error: initWorded('syntax_error'),
  missing_import: initWorded('missing_import'),
  missing_module: initWorded('missing_module'),
  missing_handler: initWorded('missing_handler'),
  malformed_handler: initWorded('malformed_handler'),

  async timeout(run) {
    const { t } = run
    const outcome = await run.call()
    t.equal(outcome.status, 'timeout')
    t.same(valueOf(outcome), {
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${run.requestId} Error: Task timed out after 1.00 seconds`
    })
    const texts = (await run.log()).map(({ text }) => text)
    t.ok(texts.some((text) => / Task timed out after 1\.00 seconds/.test(text)))
    t.match(texts.at(-1), /^REPORT .*Duration: 1\d{3}\.\d\d ms\t.*Status: timeout$/)
  },

  async crash(run) {
    await exits(run, /^RequestId: \S+ Error: Runtime exited with error: signal: killed$/)
  },

  async exit(run) {
    await exits(run, /^RequestId: \S+ Error: Runtime exited with error: exit status 7$/)
  },

  async exit_zero(run) {
    await exits(run, /^RequestId: \S+ Error: Runtime exited without providing a reason$/)
  },

  async oom({ t, call }) {
    const outcome = await call()
    // Some languages notice in time and say so themselves.
    t.ok(outcome.status === 'oom' || outcome.status === 'crash' || outcome.status === 'error', outcome.status)
    t.match(outcome.errorType, /Runtime\.(OutOfMemory|ExitError)|OutOfMemory|NoMemory|Memory/)
  },

  async stdout_flood({ t, call, lines }) {
    const outcome = await call({ lines: 8_000 })
    t.equal(valueOf(outcome), 'done')
    const printed = () => lines().filter(({ text }) => text === 'x'.repeat(100)).length
    // What is printed travels apart from the answer, and no faster than the output budget allows.
    await eventually(() => printed() === 8_000)
    t.equal(printed(), 8_000, 'every line is in the log of its event')
  },

  async logging({ t, value, lines }) {
    t.equal(await value(), true)
    for (const where of ['stdout', 'stderr', 'logger']) {
      const found = () => lines().filter(({ text }) => text.includes(`to ${where}`)).length
      // What is printed travels apart from the answer, and may come after it.
      await eventually(() => found() > 0)
      t.equal(found(), 1, where)
    }
  },

  async levels({ t, value, lines }) {
    t.equal(await value(), true)
    const found = ({ text }: LogLine) => /at error/i.test(text) || text.includes('at 40')
    t.ok(await eventually(() => lines().some(found)), 'what is an error in any case; JSON logs have more to show')
  },

  async multi_line({ t, value, lines }) {
    t.equal(await value(), true)
    const found = () => lines().some(({ text }) => /first[\n\r]second/.test(text))
    t.ok(await eventually(found), 'one event')
  },

  async tmp({ t, value }) {
    t.equal(await value(), 1)
    t.equal(await value(), 2, 'kept between two events of an instance')
  },

  async warm({ t, value, call }) {
    t.equal(await value(), 1)
    t.equal(await value(), 2, 'globals live as long as the instance')
    t.equal((await call()).cold, false)
  },

  async deadline({ t, value }) {
    const [first = 0, second = 0] = (await value()) as number[]
    t.ok(first > 15_000 && first <= 20_000, `${first}`)
    const between = first - second
    t.ok(between >= 95 && between < 5_000, `${between} ms later`)
  },

  async client_context({ t, value }) {
    const clientContext = JSON.stringify({ custom: { a: 'ä', n: '1' }, client: { app_title: 'x' }, env: { e: 'f' } })
    t.same(await value({}, { clientContext }), { a: 'ä', n: '1' })
  },

  async read_only({ t, value }) {
    t.equal(await value(), 0)
  },

  async subprocess({ t, value }) {
    t.equal(await value(), 'child')
  }
}

/** The handler fails, the caller gets the language's words, and the instance goes on. */
function worded(name: Worded): (run: Run) => Promise<void> {
  return async ({ t, call, column, log }) => {
    const outcome = await call()
    t.equal(outcome.status, 'error')
    t.match(valueOf(outcome), column.errors[name])
    t.match((await log()).at(-1)?.text, /^REPORT .*Max Memory Used: \d+ MB\t(Init Duration: \d+\.\d\d ms\t)?$/)
  }
}

/** The function never comes up: each event tries again and is told why. */
function initWorded(name: Worded): (run: Run) => Promise<void> {
  return async ({ t, call, column }) => {
    for (const time of ['first', 'second']) {
      const outcome = await call()
      // Some languages look the method up when it is called, as on AWS.
      t.ok(outcome.status === 'init_error' || outcome.status === 'error', `${time}: ${outcome.status}`)
      t.match(valueOf(outcome), column.errors[name])
    }
  }
}

async function exits(run: Run, message: RegExp): Promise<void> {
  for (const time of ['first', 'with a new instance']) {
    const outcome = await run.call()
    run.t.equal(outcome.status, 'crash', time)
    run.t.match(valueOf(outcome), { errorType: 'Runtime.ExitError', errorMessage: message })
    run.t.ok(outcome.cold)
  }
}
