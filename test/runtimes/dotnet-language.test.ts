import { execFileSync } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { bundledRuntimesDir } from '@hearth/executor/internal/runtimes/local'
import t, { type Test } from 'tap'
import { runtimesOfThisMachine, startExecutor, valueOf } from '../helpers/executor.ts'
import { eventually } from '../helpers/hearth.ts'

const MONO = '/usr/bin/mono'
const BUNDLED = path.join(bundledRuntimesDir(), 'dotnet')
t.setTimeout(60_000)

/**
 * A folder as .NET is installed, whose host lists these frameworks and runs assemblies on Mono: what Hearth asks of the
 * host is all there, what the host does with it is not. Real ones run the scenarios where they are installed.
 */
function installDotnet(t: Test, listed: (root: string) => readonly string[]): string {
  const root = path.join(t.testdir({ root: {}, code: {} }), 'root')
  const list = listed(root).map((line) => `echo '${line}'`)
  const script = `#!/bin/sh
if [ "$1" = --list-runtimes ]; then
${list.join('\n')}
exit
fi
[ "$1" = exec ] && [ "$2" = --fx-version ] && [ "$3" = 9.0.1 ] && [ "$4" = --runtimeconfig ] && [ -f "$5" ] || exit 64
[ "$DOTNET_EnableDiagnostics$DOTNET_TieredPGO$DOTNET_gcServer" = 000 ] || exit 65
[ "$0" = /var/lang/bin/dotnet ] && [ "$DOTNET_ROOT" = /var/lang/bin ] || exit 66
shift 5
exec ${MONO} "$@"
`
  writeFileSync(path.join(root, 'dotnet'), script, { mode: 0o755 })
  return path.join(root, 'dotnet')
}

/** With no other interpreters of .NET than these, and nothing else to look for. */
const dotnetOn = (...paths: string[]) =>
  runtimesOfThisMachine({ dotnet: ['none', ...paths], java: ['none'], python: ['none'], ruby: ['none'] })

const framework = (root: string, version: string, name = 'Microsoft.NETCore.App') =>
  `${name} ${version} [${root}/shared/${name}]`

t.test('an identifier is served by its own framework, else by a newer one, else by Mono', async (t) => {
  const dotnet = installDotnet(t, (root) => [
    framework(root, '8.0.2'),
    framework(root, '8.0.11'),
    framework(root, '8.0.11-rc.1.24452.12'),
    framework(root, '8.0.9'),
    framework(root, '9.0.0-preview.7.1'),
    framework(root, '8.0.10', 'Microsoft.AspNetCore.App'),
    'Microsoft.NETCore.App 6.0.1 [/nowhere/shared/Microsoft.NETCore.App]',
    'something else altogether'
  ])
  const served = async (...paths: string[]) => {
    const registry = await dotnetOn(...paths)
    const infos = registry.list().filter(({ language }) => language === 'dotnet')
    return infos.map(({ runtime, interpreter, exact }) => [runtime, interpreter, exact])
  }
  t.same(await served(dotnet), [
    ['dotnet6', '.NET 8.0.11', false],
    ['dotnet8', '.NET 8.0.11', true],
    ['dotnet10', undefined, false]
  ])
  t.match(await served(MONO, dotnet), [
    ['dotnet6', '.NET 8.0.11', false],
    ['dotnet8', '.NET 8.0.11', true],
    ['dotnet10', /^Mono \d/, false]
  ])
  const broken = path.join(path.dirname(dotnet), 'broken')
  writeFileSync(broken, '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  t.match(await served(broken, '/nowhere/dotnet'), [
    ['dotnet6', undefined],
    ['dotnet8', undefined],
    ['dotnet10', undefined]
  ])

  const registry = await dotnetOn(dotnet)
  const language = registry.languageOf('dotnet10')!
  t.match(
    language.remedy('dotnet10'),
    /^install \.NET 10 or newer \(apt-get install dotnet-runtime-10\.0\).*or install Mono/
  )
  t.match(registry.resolve('dotnet6', 'A::B::C')?.environment, { LAMBDA_RUNTIME_NAME: 'dotnet6' })

  const plan = registry.boot('dotnet8', 512)
  t.same(plan.command, [
    ...['/var/lang/bin/dotnet', 'exec', '--fx-version', '8.0.11'],
    ...['--runtimeconfig', '/var/runtime/bootstrap.runtimeconfig.json', '/var/runtime/bootstrap.exe'],
    '/var/lang/bin/shared/Microsoft.AspNetCore.App/8.0.10'
  ])
  t.match(plan.env, {
    DOTNET_EnableDiagnostics: '0',
    DOTNET_gcServer: '0',
    DOTNET_gcConcurrent: '0',
    DOTNET_TieredPGO: '0',
    DOTNET_GCHeapHardLimit: `0x${(384 * 1_048_576).toString(16)}`
  })
})

t.test('packages are looked at for what they will be run by', async (t) => {
  const dotnet = installDotnet(t, (root) => [framework(root, '8.0.11')])
  const files: Record<string, string> = {
    'App.dll': '',
    'App.runtimeconfig.json': '{"runtimeOptions":{"tfm":"net10.0"}}',
    native: ''
  }
  const view = {
    files: Object.keys(files),
    isExecutable: () => true,
    head: async (file: string) => Buffer.from(files[file] ?? '')
  }
  const language = async (...paths: string[]) => (await dotnetOn(...paths)).languageOf('dotnet8')!
  const onDotnet = await language(dotnet)
  t.match(await onDotnet.inspect(view, 'App::App.F::G', 'dotnet8'), {
    problem: undefined,
    notices: [/App was built for \.NET 10, and \.NET 8\.0\.11 runs it.*dotnet-runtime-10\.0/]
  })
  files['App.runtimeconfig.json'] = '{"runtimeOptions":{"tfm":"net8.0"}}'
  t.same(await onDotnet.inspect(view, 'App', 'dotnet8'), {}, 'a program for .NET Core is a .dll')
  t.same(await onDotnet.inspect(view, 'native', 'dotnet8'), {}, 'or was compiled ahead of time')
  t.match(await onDotnet.inspect(view, 'Other', 'dotnet8'), { problem: /no Other\.dll or Other\.exe or Other,/ })
  const onMono = await language(MONO)
  t.match(await onMono.inspect(view, 'App::App.F::G', 'dotnet8'), { notices: [/built for \.NET 8, and Mono/] })
  t.match(await onMono.inspect(view, 'App', 'dotnet8'), { problem: /no App\.exe.*need the dotnet host/ })
})

t.test('a class library is run by the host', async (t) => {
  const dotnet = installDotnet(t, (root) => [framework(root, '9.0.1')])
  const codeDir = path.join(path.dirname(dotnet), '../code')
  copyFileSync(path.join(BUNDLED, 'Warm.dll'), path.join(codeDir, 'Warm.dll'))
  const box = await startExecutor(t, { runtimes: await dotnetOn(dotnet), prestarted: 0 })
  const pool = box.pool({ codeDir, runtime: 'dotnet8', handler: 'Warm::Hearth.Warm.Functions::Typed', memoryMiB: 512 })
  t.same(valueOf(await box.invoke(pool, { name: 'n', list: [1] })), { Name: 'n', List: [1] })
  await eventually(() => box.lines.find(({ text }) => text.startsWith('INIT_START Runtime Version: dotnet:9.0.1')))
})

t.test('a program is started with its own configuration where it brings one', async (t) => {
  const dir = t.testdir({ 'Own.dll': '', 'Own.runtimeconfig.json': '{}', 'Own.deps.json': '{}', 'Bare.exe': '' })
  const host = path.join(dir, 'host')
  writeFileSync(host, '#!/bin/sh\necho "$*"\necho "$DOTNET_A $DOTNET_B"\n', { mode: 0o755 })
  const native = path.join(dir, 'native')
  writeFileSync(native, '#!/bin/sh\necho native\n', { mode: 0o755 })
  const start = (program: string) =>
    execFileSync(
      '/bin/sh',
      [`${BUNDLED}/program.sh`, program, host, '8.0.1', '/config', 'DOTNET_A=ours', 'DOTNET_B=ours'],
      {
        env: { PATH: '/usr/bin:/bin', DOTNET_B: 'its own' },
        encoding: 'utf8'
      }
    ).trim()
  const own = path.join(dir, 'Own')
  const given = `--roll-forward Major --runtimeconfig ${own}.runtimeconfig.json --depsfile ${own}.deps.json`
  t.equal(start(own), `exec ${given} ${own}.dll\nours its own`)
  const bare = path.join(dir, 'Bare')
  t.equal(start(bare), `exec --fx-version 8.0.1 --runtimeconfig /config ${bare}.exe\nours its own`)
  t.equal(start(native), 'native')
})
