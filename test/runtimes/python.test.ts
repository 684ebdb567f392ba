import { pythonLanguage } from '@hearth/executor/internal/runtimes/python/language'
import t, { type Test } from 'tap'
import { startExecutor, valueOf } from '../helpers/executor.ts'
import { eventually } from '../helpers/hearth.ts'

const RUNTIME = 'python3.11'
t.setTimeout(60_000)

const open = async (t: Test, files: Parameters<Test['testdir']>[0], spec: object = {}) => {
  const box = await startExecutor(t)
  return { box, pool: box.pool({ codeDir: t.testdir(files), runtime: RUNTIME, handler: 'app.handler', ...spec }) }
}

t.test('code comes from packages, folders, vendored libraries and layers', async (t) => {
  const { box, pool } = await open(
    t,
    {
      code: {
        src: {
          'app.py':
            'import vendored, layered, sited\n\n\ndef handler(event, context):\n    return [vendored.NAME, layered.NAME, sited.NAME]\n'
        },
        vendored: { '__init__.py': 'NAME = "vendored"\n' },
        // Named as modules of the runtime itself, which must not be in the way.
        'channel.py': 'raise Exception("not asked for")\n'
      },
      opt: {
        python: {
          'layered.py': 'NAME = "layered"\n',
          lib: { 'python3.11': { 'site-packages': { 'sited.py': 'NAME = "sited"\n' } } }
        }
      }
    },
    {}
  )
  const dir = pool.spec.codeDir
  for (const handler of ['src/app.handler', 'src.app.handler']) {
    const own = box.pool({ ...pool.spec, codeDir: `${dir}/code`, optDir: `${dir}/opt`, handler })
    t.same(valueOf(await box.invoke(own)), ['vendored', 'layered', 'sited'])
  }
})

const LOGS = `
import json, logging, sys

logger = logging.getLogger("orders")


def handler(event, context):
    logger.setLevel(logging.DEBUG)
    logger.debug("fine %s", 1)
    logger.warning("careful", extra={"order": 7})
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("broken\\nin two")
    print("printed")
    context.log("through the context")
    raise KeyError("end")
`

t.test('text logs are Lambda’s lines', async (t) => {
  const { box, pool } = await open(t, { 'app.py': LOGS })
  const requestId = '11111111-1111-4111-8111-111111111111'
  t.match(valueOf(await box.invoke(pool, {}, { requestId })), {
    errorType: 'KeyError',
    errorMessage: "'end'",
    requestId
  })
  const lines = await eventually(() => {
    const own = box.lines.filter((line) => line.requestId === requestId)
    return own.at(-1)?.text.startsWith('REPORT') === true ? own : undefined
  })
  const stamp = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`
  const texts = lines.map(({ text }) => text)
  t.ok(texts.some((text) => new RegExp(`^\\[DEBUG\\]\\t${stamp}\\t${requestId}\\tfine 1$`).test(text)))
  t.match(
    lines.find(({ text }) => text.includes('careful')),
    { level: 'WARN', text: new RegExp(`^\\[WARNING\\]\\t${stamp}\\t${requestId}\\tcareful$`) }
  )
  const broken = texts.find((text) => text.includes('broken'))
  t.match(broken, /^\[ERROR\]\t.*\tbroken\nin two\nTraceback \(most recent call last\):\n[\s\S]*ZeroDivisionError/)
  t.ok(texts.includes('printed') && texts.includes('through the context'))
  t.match(
    texts.find((text) => text.startsWith('[ERROR] KeyError')),
    /^\[ERROR\] KeyError: 'end'\nTraceback \(most recent call last\):\n\u00a0\u00a0File "\/var\/task\/app\.py", line \d+, in handler\n\u00a0\u00a0\u00a0\u00a0raise/
  )
})

t.test('JSON logs are objects, filtered by level', async (t) => {
  const { box, pool } = await open(
    t,
    { 'app.py': LOGS.replace('    logger.setLevel(logging.DEBUG)\n', '') },
    { logFormat: 'JSON', logLevel: 'INFO' }
  )
  await box.invoke(pool)
  const events = await eventually(() => {
    const objects = box.lines.flatMap(({ text }) =>
      text.startsWith('{') ? [JSON.parse(text) as Record<string, unknown>] : []
    )
    return objects.some(({ type }) => type === 'platform.report') ? objects : undefined
  })
  const of = (message: string) => events.find((event) => event['message'] === message)
  t.equal(of('fine 1'), undefined)
  t.match(of('careful'), { level: 'WARNING', logger: 'orders', order: 7, timestamp: /Z$/, requestId: /-/ })
  t.match(of('broken\nin two'), { level: 'ERROR', errorType: 'ZeroDivisionError', errorMessage: 'division by zero' })
  t.match(
    events.find((event) => event['errorType'] === 'KeyError'),
    { level: 'ERROR', errorMessage: "'end'", stackTrace: [/app\.py/] }
  )
})

t.test('children do not hold the channel, and decimals are numbers', async (t) => {
  const code = `
import decimal, os, subprocess


def handler(event, context):
    listed = subprocess.run(["ls", "/proc/self/fd"], capture_output=True, text=True, close_fds=False).stdout.split()
    return {"fds": [int(fd) for fd in listed], "decimal": decimal.Decimal("12345678901234567890.123")}
`
  const { box, pool } = await open(t, { 'app.py': code })
  const outcome = await box.invoke(pool)
  t.match(outcome.payload.toString(), /"decimal": 12345678901234567890\.123/)
  // 3 is ls's own, for the folder that it reads.
  t.same((valueOf(outcome) as { fds: number[] }).fds, [0, 1, 2, 3], 'the channel is not among its descriptors', {
    payload: outcome.payload.toString()
  })
})

t.test('identifiers are served by the nearest version', async (t) => {
  const at = (version: string) => ({ version, execPath: `/usr/bin/python${version}`, prefix: '/usr' })
  const language = pythonLanguage([at('3.8.1'), at('3.11.2'), at('3.13.0'), at('3.13.9')], '/bundled')
  t.same(
    language.interpreters.map(({ title }) => title),
    ['Python 3.11.2', 'Python 3.13.0']
  )
  const served = (id: string) => {
    const { interpreter, served } = language.serve(id, 'a.b')!
    return [interpreter.version, served.exact]
  }
  t.same(served('python3.9'), ['3.11.2', false])
  t.same(served('python3.11'), ['3.11.2', true])
  t.same(served('python3.12'), ['3.13.0', false])
  t.same(served('python3.14'), ['3.13.0', false])
  t.equal(pythonLanguage([], '/bundled').serve('python3.12', 'a.b'), undefined)
  t.match(language.remedy('python3.12'), /install Python 3\.12/)
  const elsewhere = pythonLanguage([{ version: '3.12.1', execPath: '/opt/py/bin/python3.12', prefix: '/opt/py' }], '/b')
  t.match(elsewhere.interpreters[0]?.boot(128).mounts, [
    { source: '/opt/py', target: '/opt/py' },
    { source: '/b', target: '/var/runtime' }
  ])
})
