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

/** What the scenario `levels` writes in each language: its text after `at `, the member `level`, and Lambda's level. */
type Levels = readonly (readonly [text: string, word: string, level: string])[]

const ORDER = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']

const LEVELS: Readonly<Record<string, Levels>> = {
  nodejs: [
    ['trace', 'TRACE', 'TRACE'],
    ['debug', 'DEBUG', 'DEBUG'],
    ['log', 'INFO', 'INFO'],
    ['info', 'INFO', 'INFO'],
    ['warn', 'WARN', 'WARN'],
    ['error', 'ERROR', 'ERROR'],
    ['fatal', 'FATAL', 'FATAL']
  ],
  // Levels of one's own count as the standard level below them; below DEBUG there is none.
  python: [
    ['10', 'DEBUG', 'DEBUG'],
    ['20', 'INFO', 'INFO'],
    ['25', 'INFO', 'INFO'],
    ['30', 'WARNING', 'WARN'],
    ['40', 'ERROR', 'ERROR'],
    ['50', 'CRITICAL', 'FATAL'],
    ['60', 'CRITICAL', 'FATAL']
  ],
  ruby: [
    ['debug', 'DEBUG', 'DEBUG'],
    ['info', 'INFO', 'INFO'],
    ['warn', 'WARN', 'WARN'],
    ['error', 'ERROR', 'ERROR'],
    ['fatal', 'FATAL', 'FATAL'],
    ['unknown', 'ANY', 'FATAL']
  ],
  java: [
    // Without a level of its own it passes every filter.
    ['UNDEFINED', 'UNDEFINED', 'FATAL'],
    ...ORDER.map((level) => [level, level, level] as const)
  ],
  dotnet: [
    ['trace', 'Trace', 'TRACE'],
    ['debug', 'Debug', 'DEBUG'],
    ['information', 'Information', 'INFO'],
    ['warning', 'Warning', 'WARN'],
    ['error', 'Error', 'ERROR'],
    ['critical', 'Critical', 'FATAL']
  ],
  // Printed: an object with a level and a time that count tells its own, all else is INFO.
  provided: [
    ['no time', 'error', 'INFO'],
    ['trace', 'trace', 'TRACE'],
    ['Debug', 'Debug', 'DEBUG'],
    ['warning', 'warning', 'WARN'],
    ['ERROR', 'ERROR', 'ERROR'],
    ['critical', 'critical', 'FATAL'],
    ['loud', 'loud', 'INFO']
  ]
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
  const family = /^[a-z]+/.exec(column.runtime)?.[0] ?? ''
  const shape = SHAPES[family]
  const host = column.host === undefined ? '' : ` on ${column.host}`
  t.test(`${column.runtime}${host}: JSON logs`, { skip: column.skip ?? false }, async (t) => {
    const registry = await runtimesOfThisMachine(column.paths)
    t.ok(registry.resolve(column.runtime, column.handler('echo')), 'it is installed')
    const codeDir = path.join(t.testdir({}), 'code')
    mkdirSync(codeDir)
    await column.make(codeDir)
    const box = await startExecutor(t, { runtimes: registry })
    const { runtime, memoryMiB } = column
    const spec = { codeDir, runtime, memoryMiB, logFormat: 'JSON' as const, timeoutMs: 60_000 }
    const events = () =>
      box.lines.flatMap(({ text }) => (text.startsWith('{') ? [JSON.parse(text) as Json] : [])).filter(isEvent)
    const run = async (own: object, scenario: 'logging' | 'levels' | 'error') => {
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

      await run({ logLevel: 'WARN' }, 'error')
      const failure = await eventually(() => events().find(({ timestamp }) => timestamp !== undefined))
      t.match(failure, { ...shape.failure, timestamp: shape.timestamp })
    }

    for (const least of ['TRACE', 'WARN', 'FATAL']) {
      const wanted = LEVELS[family]!.filter(([, , level]) => ORDER.indexOf(level) >= ORDER.indexOf(least))
      const stdout = ORDER.indexOf(least) <= ORDER.indexOf('INFO')
      await run({ logLevel: least }, 'levels')
      const last = `at ${wanted.at(-1)![0]}`
      await eventually(() => box.lines.some(({ text }) => text.includes(last) && text.startsWith('{')))
      await eventually(() => !stdout || box.lines.some(({ text }) => text === 'at stdout'))
      const written = box.lines.filter(({ text }) => text.includes('at ') && text.startsWith('{'))
      t.same(
        written.map(({ text, level }) => {
          const fields = JSON.parse(text) as Json
          return [String(fields['message']).replace('at ', ''), fields['level'], level]
        }),
        wanted.map(([text, word, level]) => [text, word, word === 'UNDEFINED' ? 'INFO' : level]),
        `at ${least} and above`
      )
      t.equal(
        box.lines.some(({ text }) => text === 'at stdout'),
        stdout,
        'what is printed is INFO'
      )
    }

    await run({ logLevel: 'WARN', systemLogLevel: 'WARN' }, 'logging')
    if (shape !== undefined) await eventually(() => events().find(({ message }) => message === 'to logger'))
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
