import { once } from 'node:events'
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { FunctionPool, Outcome } from '@hearth/executor'
import { READY } from '@hearth/executor/internal/protocol'
import t from 'tap'
import { runtimesOfThisMachine, valueOf } from '../helpers/executor.ts'
import { eventually } from '../helpers/hearth.ts'
import { javaRuntimes, makePackages, type Packages, startJava } from './java-functions.ts'

// Many sandboxes are started here, and the machine may be busy.
t.setTimeout(300_000)

const BY_PLATFORM = /^(START|END|REPORT|INIT_START|INIT_REPORT)\b/

interface JsonLine {
  readonly level: string
  readonly message: string
}

let packages: Packages
t.before(() => {
  packages = makePackages(t)
})

t.test('every JVM of this machine', async (t) => {
  const runtimes = await javaRuntimes()
  t.ok(runtimes.length > 0, 'there is one of 17 or newer')
  for (const runtime of runtimes) {
    await t.test(runtime, async (t) => {
      const { java, call, invoke, value, lines } = await startJava(t, runtime, packages)
      t.equal(await value('example.Surroundings::version'), runtime.replace('java', ''), 'is the one that runs')

      const counter = java('example.Surroundings::count')
      const counts: unknown[] = []
      for (let i = 0; i < 3; i++) counts.push(valueOf(await invoke(counter)))
      t.same(counts, [1, 2, 3], 'keeps what is static')

      const environment = { TEXT: 'ä = "b"\n', EMPTY: '', TZ: 'Asia/Tokyo' }
      const names = [...Object.keys(environment), 'AWS_LAMBDA_FUNCTION_NAME', 'PWD', 'HEARTH', 'space']
      t.match(
        await value(
          'example.Surroundings::environment',
          names.filter((name) => name !== 'TEXT'),
          { environment }
        ),
        {
          EMPTY: '',
          TZ: 'Asia/Tokyo',
          AWS_LAMBDA_FUNCTION_NAME: 'sample',
          PWD: '/var/task',
          HEARTH: undefined,
          space: undefined,
          'child EMPTY': 'EMPTY=',
          'child TZ': 'TZ=Asia/Tokyo',
          'child AWS_LAMBDA_FUNCTION_NAME': 'AWS_LAMBDA_FUNCTION_NAME=sample'
        },
        'has its environment, and so have its child processes'
      )
      t.same(
        await value('example.Surroundings::environment', ['TEXT'], { environment }).then(
          (all) => (all as { TEXT: string }).TEXT
        ),
        environment.TEXT
      )

      t.same(
        await value('example.Surroundings::place', {}, { environment }),
        {
          'user.dir': '/var/task',
          absolute: '/var/task/data.txt',
          file: true,
          path: 'content',
          resource: 'content',
          child: '/var/task\ncontent',
          zone: 'Asia/Tokyo',
          loader: true
        },
        'works in the folder of its code'
      )

      t.equal(
        await value('example.Surroundings::inherited'),
        '0\n1\n2\nend\n',
        'gives its children no descriptor of its own'
      )

      lines.length = 0
      t.same(await value('example.Values::record', { from: 1 }), { from: 0 }, 'has records')
      const failed = await call('example.Failing::causes')
      t.equal(failed.errorType, 'example.Failing$Refused')
      t.match(
        valueOf(failed),
        {
          errorMessage: 'refused',
          errorType: 'example.Failing$Refused',
          stackTrace: [/^example\.Failing\.causes\(Failing\.java:\d+\)$/],
          cause: {
            errorMessage: 'deep',
            errorType: 'java.lang.IllegalStateException',
            stackTrace: [/^example\.Failing\.deeper\(/, /^example\.Failing\.causes\(/],
            cause: { errorMessage: 'java.lang.ArithmeticException', errorType: 'java.lang.ArithmeticException' }
          }
        },
        'tells what was thrown, with all causes'
      )
      t.equal((valueOf(failed) as { stackTrace: string[] }).stackTrace.length, 1, 'and nothing of the runtime')
      t.match(
        lines.filter(({ level }) => level === 'ERROR'),
        [
          {
            text: /^refused: example\.Failing\$Refused\nexample\.Failing\$Refused: refused\n\tat example\.Failing\.causes\(/
          }
        ],
        'logs it as one event'
      )

      t.match(
        await value('own.Handler', { number: 1 }, { codeDir: packages.ownCore }),
        { own: true, function: 'sample', hasTime: true, number: 2 },
        "uses the package's own copy of Lambda's interfaces"
      )
      t.ok(
        lines.some(({ text }) => text === 'own\nlogger'),
        'with our logger'
      )
      t.ok(
        lines.some(({ text }) => text === 'own runtime'),
        'also where there is no context'
      )
    })
  }
})

t.test('functions of older versions', async (t) => {
  const { value, java, invoke, lines } = await startJava(t, 'java11', packages)
  t.equal(await value('example.Surroundings::look'), true, "may look into the JDK's own classes")
  const trace = java('example.Surroundings::trace')
  t.same(valueOf(await invokeWithTrace(trace, 'Root=1-2-3')), { property: 'Root=1-2-3', variable: 'Root=1-2-3' })
  t.same(valueOf(await invoke(trace)), { property: 'null', variable: 'null' }, 'and lose the trace with the event')
  t.notOk(
    lines.some(({ text }) => /WARNING/.test(text)),
    'without a word from the JVM'
  )
})

t.test('functions of Java 17 and newer', async (t) => {
  const { call, java } = await startJava(t, 'java17', packages)
  t.match(valueOf(await call('example.Surroundings::look')), {
    errorType: 'java.lang.reflect.InaccessibleObjectException'
  })
  const trace = java('example.Surroundings::trace')
  t.same(valueOf(await invokeWithTrace(trace, 'Root=1-2-3')), { property: 'Root=1-2-3', variable: 'null' })
})

t.test('where classes come from', async (t) => {
  const { call, value } = await startJava(t, 'java17', packages)
  t.same(
    await value('example.ClassPath::handle', {}, { optDir: packages.layer }),
    ['main', 'jar', 'layer'],
    'the package, then its jars, then layers'
  )
  t.equal(await value('places.InJar::handle', 'x'), 'x from a jar', 'a handler may be in a jar')
  t.equal(
    await value(
      'example.Queue',
      { Records: [{ eventSourceARN: 'arn:q', sent: 1_735_776_000.5, other: 1 }] },
      { codeDir: packages.events }
    ),
    'arn:q 2025-01-02T00:00:00.500Z',
    "Lambda's library of events is read as Lambda reads it"
  )
  t.match(valueOf(await call('example.ClassPath::handle')), {
    errorMessage: 'places.Third',
    errorType: 'java.lang.ClassNotFoundException'
  })
})

t.test('the context', async (t) => {
  const { java, value } = await startJava(t, 'java17', packages)
  t.same(await value('example.Surroundings::client'), { present: false, identity: true, tenant: true })
  const clientContext = {
    client: { app_title: 'App', app_version_name: '1.2' },
    custom: { a: 'b', n: 1 },
    env: { locale: 'de' }
  }
  const outcome = await new Promise<Outcome>((settle) => {
    java('example.Surroundings::client').invoke({
      requestId: '00000000-0000-4000-8000-000000000000',
      payload: Buffer.from('{}'),
      invokedArn: '',
      traceId: '',
      clientContext: JSON.stringify(clientContext),
      tail: false,
      settle
    })
  })
  t.match(valueOf(outcome), {
    present: true,
    title: 'App',
    version: '1.2',
    custom: { a: 'b', n: '1' },
    environment: { locale: 'de' }
  })
})

t.test('logs', async (t) => {
  const { value, lines } = await startJava(t, 'java17', packages)
  const own = () => lines.filter(({ text }) => !BY_PLATFORM.test(text) && !text.includes('"platform.'))
  t.equal(await value('example.Surroundings::log'), true, 'the logger is the same everywhere')
  const raw = (text: string) => ({ level: 'INFO', text })
  // What is printed travels apart from the answer, and may come after it.
  const has = async (wanted: object, name: string) => {
    const isThere = () => own().some((line) => Object.entries(wanted).every(([key, is]) => line[key as 'text'] === is))
    t.ok(await eventually(isThere).catch(() => false), name)
  }
  await has(raw('tö stdout'), 'stdout')
  await has(raw('to stderr'), 'stderr')
  await has(raw('plain'), 'no newline at the end')
  await has({ level: 'DEBUG', text: '[DEBUG] debugging' }, 'a level is shown')
  await has({ level: 'WARN', text: '[WARN] careful' }, 'at its own level')
  await has({ level: 'ERROR', text: 'bytés' }, 'bytes stay as they are')
  await has(raw('shared\nlogger'), 'an event may span lines')
  t.ok(
    own().every(({ requestId }) => requestId !== ''),
    'all belong to the event'
  )

  lines.length = 0
  await value('example.Surroundings::log', {}, { logFormat: 'JSON', logLevel: 'WARN' })
  const json = own().flatMap(({ text }) => (text.startsWith('{') ? [JSON.parse(text) as JsonLine] : []))
  t.match(json, [
    {
      message: 'plain\n',
      level: 'UNDEFINED',
      timestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
      AWSRequestId: /^[0-9a-f-]{36}$/
    },
    { message: 'careful', level: 'WARN' },
    { message: 'shared\nlogger', level: 'UNDEFINED' }
  ])
  t.equal(json.length, 3, 'what is below the level is left out')
  t.notOk(
    own().some(({ text }) => text === 'tö stdout'),
    'what is only printed counts as INFO'
  )

  lines.length = 0
  await value('example.Failing::causes', {}, { logFormat: 'JSON', logLevel: 'INFO' })
  const failure = own()
    .map(({ text }) => JSON.parse(text) as JsonLine)
    .find(({ level }) => level === 'ERROR')
  t.match(failure, { message: /^refused: example\.Failing\$Refused\n/ })

  lines.length = 0
  t.equal(await value('example.Surroundings::longLog'), 'logged')
  const pieces = own().map(({ text }) => text)
  t.same(
    pieces.map((text) => Buffer.byteLength(text) <= 262_144),
    [true, true],
    'a long event goes in pieces'
  )
  t.equal(pieces.join(''), `x${'é'.repeat(200_000)}`, 'that end between characters')
})

t.test('failures', async (t) => {
  const { call, java, invoke, value, exits, lines } = await startJava(t, 'java17', packages)
  t.match(valueOf(await call('example.Failing::silent')), {
    errorMessage: 'java.lang.UnsupportedOperationException',
    errorType: 'java.lang.UnsupportedOperationException'
  })
  t.match(valueOf(await call('example.Failing::assertion')), {
    errorMessage: 'not an exception',
    errorType: 'java.lang.AssertionError'
  })
  t.match(
    valueOf(await call('example.Failing::nasty')),
    { errorType: 'example.Failing$1' },
    'whose message fails itself'
  )
  const circle = valueOf(await call('example.Failing::circle'))
  t.match(circle, { errorMessage: 'first', cause: { errorMessage: 'second', cause: { errorMessage: 'first' } } })

  t.equal(await value('example.Failing::otherThread'), 'survived', 'of another thread end that thread alone')
  t.ok(lines.some(({ text }) => text.startsWith('Exception in thread "other" java.lang.IllegalStateException')))

  const interrupted = java('example.Failing::interrupted')
  t.equal(valueOf(await invoke(interrupted, 'interrupt')), 'true')
  t.equal(valueOf(await invoke(interrupted, '')), 'false', 'an interrupt does not outlive its event')

  exits.length = 0
  const overflow = java('example.Failing::overflow')
  t.match(valueOf(await invoke(overflow)), { errorType: 'java.lang.StackOverflowError' })
  t.match(
    valueOf(await invoke(overflow)),
    { errorType: 'java.lang.StackOverflowError' },
    'on a new instance, like on Lambda'
  )

  const halted = await call('example.Surroundings::halt')
  t.match(valueOf(halted), {
    errorType: 'Runtime.ExitError',
    errorMessage: /Runtime exited with error: exit status 3$/
  })
  const exited = await call('example.Surroundings::hook')
  // Shutdown hooks run.
  t.match(valueOf(exited), { errorType: 'Runtime.ExitError', errorMessage: /exit status 4$/ })
  await eventually(() => lines.some(({ text }) => text === 'hook ran'))
})

t.test('options of the JVM', async (t) => {
  const { value, lines } = await startJava(t, 'java17', packages)
  const environment = { JAVA_TOOL_OPTIONS: `-Dgiven="a b" -XX:+UseG1GC -Dempty -javaagent:/opt/agent.jar` }
  t.equal(await value('example.Surroundings::property', 'given', { environment }), 'a b', 'system properties are set')
  t.match(
    lines.filter(({ level }) => level === 'WARN'),
    [{ text: /^JAVA_TOOL_OPTIONS: no effect of -XX:\+UseG1GC -javaagent:\/opt\/agent\.jar,/ }],
    'the log tells of the rest'
  )
  for (const [memoryMiB, least, most] of [
    [128, 60, 80],
    [512, 380, 420],
    [1024, 800, 870]
  ] as const) {
    const heap = (await value('example.Surroundings::heap', {}, { memoryMiB })) as number
    t.ok(heap >= least && heap <= most, `${memoryMiB} MiB: a heap of ${heap}`)
  }
})

t.test('an archive that does not fit is left aside', async (t) => {
  const { host } = await startJava(t, 'java17', packages)
  const plan = (await runtimesOfThisMachine()).boot('java17', 256)
  const bundled = plan.mounts.find(({ target }) => target === '/var/runtime')!.source
  const archives = readdirSync(path.join(bundled, 'archives'))
  t.ok(archives.length > 0, 'the build made archives')
  const copy = mkdtempSync(path.join(tmpdir(), 'hearth-java-'))
  t.teardown(() => rmSync(copy, { recursive: true, force: true }))
  chmodSync(copy, 0o755)
  // The same files, but the jar is younger than the archive.
  cpSync(bundled, copy, { recursive: true })
  const mounts = plan.mounts.map((mount) => (mount.source === bundled ? { ...mount, source: copy } : mount))
  for (const state of ['of another build', 'damaged']) {
    if (state === 'damaged') {
      for (const name of archives) {
        const file = path.join(copy, 'archives', name)
        chmodSync(file, 0o644)
        writeFileSync(file, readFileSync(file).fill(0, 100, 100_000))
      }
    }
    const sandbox = await host.start({ ...plan, mounts, memoryMiB: 256, tmpMiB: 64, pids: 128, network: 'none' })
    sandbox.output.resume()
    const [frame] = (await once(sandbox.channel, 'data')) as [Buffer]
    t.equal(frame[4], READY, state)
    sandbox.kill()
    await sandbox.exited
  }
})

function invokeWithTrace(pool: FunctionPool, traceId: string): Promise<Outcome> {
  return new Promise((settle) => {
    pool.invoke({
      requestId: '00000000-0000-4000-8000-000000000000',
      payload: Buffer.from('{}'),
      invokedArn: '',
      traceId,
      clientContext: '',
      tail: false,
      settle
    })
  })
}
