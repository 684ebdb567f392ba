import { mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { runtimesOfThisMachine, startExecutor } from '../helpers/executor.ts'
import { eventually } from '../helpers/hearth.ts'
import type { Column } from './scenarios/column.ts'

// Every runtime in turn, and the machine may be busy.
t.setTimeout(300_000)

const folder = new URL('./scenarios/columns/', import.meta.url)
const columns = await Promise.all(
  readdirSync(folder)
    .filter((file) => file.endsWith('.js'))
    .map(async (file) => ((await import(new URL(file, folder).href)) as { column: Column }).column)
)

type Json = Record<string, unknown>

interface Shape {
  /** What the scenario `logging` writes at WARN, as a tap `match` pattern. */
  readonly warning: Json
  /** The log event of the scenario `error`. */
  readonly failure: Json
  readonly timestamp: RegExp
}

const MILLIS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const MICROS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/
const requestId = '11111111-1111-4111-8111-111111111111'

/** By the letters that the runtime's identifier begins with. A custom runtime has no logger that Lambda brings. */
const SHAPES: Readonly<Record<string, Shape>> = {
  nodejs: {
    warning: { level: 'WARN', requestId, message: 'to logger' },
    failure: { level: 'ERROR', requestId, message: { errorType: 'Error', errorMessage: 'boom', stackTrace: Array } },
    timestamp: MILLIS
  },
  python: {
    warning: { level: 'WARNING', requestId, message: 'to logger', logger: String },
    failure: { level: 'ERROR', requestId, errorType: 'Exception', errorMessage: 'boom', stackTrace: Array },
    timestamp: MILLIS
  },
  ruby: {
    warning: { level: 'WARN', requestId, message: 'to logger' },
    failure: {
      level: 'ERROR',
      requestId,
      errorType: 'Function<RuntimeError>',
      errorMessage: 'boom',
      stackTrace: Array
    },
    timestamp: MICROS
  },
  java: {
    warning: { level: 'WARN', AWSRequestId: requestId, message: 'to logger' },
    failure: { level: 'ERROR', AWSRequestId: requestId, message: /boom/ },
    timestamp: MILLIS
  },
  dotnet: {
    warning: { level: 'Warning', requestId, message: 'to logger' },
    failure: {
      level: 'Error',
      requestId,
      message: 'boom',
      errorType: 'System.Exception',
      errorMessage: 'boom',
      stackTrace: Array
    },
    timestamp: MILLIS
  }
}

for (const column of columns) {
  const shape = SHAPES[/^[a-z]+/.exec(column.runtime)?.[0] ?? '']
  t.test(`${column.runtime}: JSON logs`, async (t) => {
    const registry = await runtimesOfThisMachine()
    t.ok(registry.resolve(column.runtime, column.handler('echo')), 'it is installed')
    const codeDir = path.join(t.testdir({}), 'code')
    mkdirSync(codeDir)
    await column.make(codeDir)
    const box = await startExecutor(t)
    const { runtime, memoryMiB } = column
    const spec = { codeDir, runtime, memoryMiB, logFormat: 'JSON' as const, timeoutMs: 60_000 }
    const events = () =>
      box.lines.flatMap(({ text }) => (text.startsWith('{') ? [JSON.parse(text) as Json] : [])).filter(isEvent)
    const run = async (own: object, scenario: 'logging' | 'error') => {
      box.lines.length = 0
      await box.invoke(box.pool({ ...spec, handler: column.handler(scenario), ...own }), {}, { requestId, tail: true })
    }

    await run({ logLevel: 'WARN' }, 'logging')
    const report = await eventually(() => events().find(({ type }) => type === 'platform.report'))
    t.match(report, { time: MILLIS, record: { requestId, status: 'success', metrics: { billedDurationMs: Number } } })
    const start = events().find(({ type }) => type === 'platform.start')
    t.match(start, { time: MILLIS, record: { requestId, version: '$LATEST' } })
    if (shape !== undefined) {
      const warning = await eventually(() => events().find(({ message }) => message === 'to logger'))
      t.match(warning, { ...shape.warning, timestamp: shape.timestamp })

      await run({ logLevel: 'ERROR' }, 'logging')
      await eventually(() => events().find(({ type }) => type === 'platform.report'))
      t.notOk(
        events().some(({ message }) => message === 'to logger'),
        'below the level'
      )

      await run({ logLevel: 'WARN' }, 'error')
      const failure = await eventually(() => events().find(({ timestamp }) => timestamp !== undefined))
      t.match(failure, { ...shape.failure, timestamp: shape.timestamp })
    }

    await run({ logLevel: 'WARN', systemLogLevel: 'WARN' }, 'logging')
    await eventually(() => box.lines.find(({ text }) => text.includes('to stdout')))
    t.same(
      events().filter(({ type }) => type !== undefined),
      [],
      'a success is no WARN'
    )
    await run({ logLevel: 'WARN', systemLogLevel: 'WARN' }, 'error')
    const failed = await eventually(() => events().find(({ type }) => type !== undefined))
    t.match(failed, { type: 'platform.report', record: { status: 'error' } }, 'a failure is one, and START is not')
  })
}

function isEvent(value: Json): boolean {
  return value['type'] !== undefined || value['timestamp'] !== undefined
}
