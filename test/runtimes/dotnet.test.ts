import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { bundledRuntimesDir } from '@hearth/executor/internal/runtimes/local'
import t from 'tap'
import { runtimesOfThisMachine, startExecutor, valueOf } from '../helpers/executor.ts'
import { eventually, ROOT } from '../helpers/hearth.ts'

const RUNTIME = 'dotnet8'
const CORE = path.join(bundledRuntimesDir(), 'dotnet/Amazon.Lambda.Core.dll')
t.setTimeout(90_000)

const codeDir = t.testdir({})
for (const [name, kind] of [
  ['Plain', 'library'],
  ['Forms', 'library'],
  ['Program', 'exe']
] as const) {
  const source = path.join(ROOT, `test/fixtures/functions/dotnet/${name}.cs`)
  const out = path.join(codeDir, `${name}.${kind === 'exe' ? 'exe' : 'dll'}`)
  execFileSync('mcs', ['-nologo', `-target:${kind}`, `-out:${out}`, `-r:${CORE}`, source])
}

t.test('handlers of every form', async (t) => {
  const box = await startExecutor(t, { prestarted: 2 })
  const call = (handler: string, event: unknown) =>
    box.invoke(box.pool({ codeDir, runtime: RUNTIME, handler, memoryMiB: 512 }), event)
  const item = {
    name: 'a',
    size: 'Large',
    price: 1.25,
    parts: [{ Name: 'b', parts: null }],
    counts: { x: 1 },
    when: '2026-01-02T03:04:05Z'
  }
  t.match(valueOf(await call('Plain::Plain.Functions::Same', item)), {
    Name: 'a',
    Size: 'Large',
    Price: 1.25,
    Parts: [{ Name: 'b', Parts: null, Size: 'Small', Price: null }],
    Counts: { x: 1 },
    When: /^2026-01-02T03:04:05/
  })
  t.equal(valueOf(await call('Plain::Plain.Functions::Sum', [1, 2, 3])), 6)
  t.equal(valueOf(await call('Plain::Plain.Functions::Silent', {})), null)
  t.equal(valueOf(await call('Forms::Forms.Functions::Own', 'quiet')), 'QUIET', 'by the serializer of the package')

  t.match(valueOf(await call('Plain::Plain.Functions::Nested', {})), {
    errorType: 'InvalidOperationException',
    errorMessage: 'outer',
    stackTrace: [/^at Plain\.Functions\.Nested/],
    cause: { errorType: 'ArgumentException', errorMessage: 'inner' }
  })
  t.match(valueOf(await call('Plain::Plain.Functions::Late', {})), {
    errorType: 'TimeoutException',
    errorMessage: 'late'
  })
  t.match(valueOf(await call('Plain::Plain.Functions::Sum', { a: 1 })), { errorMessage: /could not be converted/ })
  t.match(valueOf(await call('Plain::Plain.Functions::Twice', 1)), {
    errorType: 'LambdaException',
    errorMessage: /appears to be overloaded/
  })
})

t.test('a program that speaks the Runtime API is its own runtime', async (t) => {
  const box = await startExecutor(t)
  const pool = box.pool({ codeDir, runtime: RUNTIME, handler: 'Program', memoryMiB: 256 })
  for (let n = 0; n < 3; n++) t.same(valueOf(await box.invoke(pool, { n })), { program: { n }, handler: 'Program' })
})

t.test('the logger writes Lambda’s lines', async (t) => {
  const box = await startExecutor(t)
  const dir = t.testdir({})
  const source = path.join(ROOT, 'test/fixtures/scenarios/dotnet/Functions.cs')
  const out = path.join(dir, 'Scenarios.dll')
  execFileSync('mcs', ['-nologo', '-target:library', `-out:${out}`, `-r:${CORE}`, '-r:System.Core.dll', source])
  const spec = { codeDir: dir, runtime: RUNTIME, handler: 'Scenarios::Scenarios.Functions::Logging', memoryMiB: 256 }
  const requestId = '11111111-1111-4111-8111-111111111111'
  await box.invoke(box.pool(spec), {}, { requestId })
  const warned = await eventually(() => box.lines.find(({ level }) => level === 'WARN'))
  t.match(warned.text, new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z\\t${requestId}\\twarn\\tto logger$`))
  await box.invoke(box.pool({ ...spec, logFormat: 'JSON' }), {}, { requestId })
  const structured = await eventually(() =>
    box.lines.find(({ text }) => text.startsWith('{') && text.includes('to logger'))
  )
  t.match(JSON.parse(structured.text), { level: 'Warning', requestId, message: 'to logger' })
})

t.test('packages are looked at when they are deployed', async (t) => {
  const language = (await runtimesOfThisMachine()).languageOf(RUNTIME)!
  const view = (...files: string[]) => ({ files, isExecutable: () => false, head: async () => Buffer.alloc(0) })
  t.same(await language.inspect(view('App.dll'), 'App::App.F::G', RUNTIME), {})
  t.match(await language.inspect(view('Other.dll', 'x.txt'), 'App::App.F::G', RUNTIME), {
    problem: /no App\.dll or App\.exe, .*it has Other\.dll/
  })
  t.match(await language.inspect(view('Other.dll'), 'App', RUNTIME), { problem: /no App\./ })
  t.equal(language.handlerProblem('App::App.F::G', RUNTIME), undefined)
  t.match(language.handlerProblem('App::App.F', RUNTIME), /Assembly::Namespace\.Class::Method/)
})
