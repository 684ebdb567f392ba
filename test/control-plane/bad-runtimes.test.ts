import { crc32 } from 'node:zlib'
import { createRuntimes } from '@hearth/control-plane/internal/functions/runtimes'
import { pythonLanguage } from '@hearth/executor/internal/runtimes/python/language'
import { createRegistry } from '@hearth/executor/internal/runtimes/registry'
import t from 'tap'
import { ROLE, rawZip, startControlPlane, zipOf } from './support.ts'

const HERE = process.arch === 'arm64' ? 'arm64' : 'x86_64'
const ELSEWHERE = HERE === 'arm64' ? 'x86_64' : 'arm64'

/** The beginning of a program or library for a processor. */
function elf(processor: 'arm64' | 'x86_64'): Buffer {
  const head = Buffer.alloc(64)
  head.write('\x7fELF\x02\x01\x01', 'latin1')
  head.writeUInt16LE(processor === 'arm64' ? 183 : 62, 18)
  return head
}

/** A class file of a Java version, as far as anybody looks at it. */
function javaClass(version: number): Buffer {
  return Buffer.from([0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, version + 44])
}

const executable = (data: Buffer) => rawZip([{ name: 'bootstrap', data, mode: 0o100755 }], crc32)

interface Refusal {
  readonly what: string
  readonly runtime: string
  readonly handler: string
  readonly zip: Buffer
  readonly code: string
  readonly text: RegExp
}

const HANDLERS: readonly (readonly [runtime: string, handler: string, text: RegExp])[] = [
  ['nodejs20.x', 'index', /Node\.js handler/],
  ['nodejs20.x', '../index.handler', /Node\.js handler|\.\./],
  ['python3.11', 'handler', /A Python handler names a module and a function/],
  ['python3.11', 'lambda_function.', /A Python handler/],
  ['ruby3.2', '/x', /A Ruby handler names a file and a method/],
  ['java17', '::handle', /Java handler/],
  ['dotnet8', 'Assembly::Class', /A \.NET handler is Assembly::Namespace\.Class::Method/]
]

t.test('what cannot run is refused when it is deployed, in both dialects, and leaves nothing', async (t) => {
  const plane = await startControlPlane(t)
  const some = await zipOf({ 'index.mjs': 'export const handler = 1', 'lambda_function.py': '', 'x.rb': '' })
  const refusals: Refusal[] = [
    ...HANDLERS.map(([runtime, handler, text]) => ({
      what: `${runtime}: the handler ${handler}`,
      runtime,
      handler,
      zip: some,
      code: 'INVALID_HANDLER',
      text
    })),
    {
      what: 'a bootstrap without run bit',
      runtime: 'provided.al2023',
      handler: 'x',
      zip: rawZip([{ name: 'bootstrap', data: Buffer.from('#!/bin/sh\n'), mode: 0o100644 }], crc32),
      code: 'INVALID_PACKAGE',
      text: /chmod 755 bootstrap/
    },
    {
      what: 'a bootstrap for another processor',
      runtime: 'provided.al2023',
      handler: 'x',
      zip: executable(elf(ELSEWHERE)),
      code: 'INVALID_PACKAGE',
      text: new RegExp(`a program for ${ELSEWHERE}; this server runs ${HERE}`)
    },
    {
      what: 'a bootstrap with Windows line endings',
      runtime: 'provided.al2',
      handler: 'x',
      zip: executable(Buffer.from('#!/bin/sh\r\necho\r\n')),
      code: 'INVALID_PACKAGE',
      text: /Windows line endings/
    },
    {
      what: 'a jar without the class',
      runtime: 'java17',
      handler: 'example.Handler::handle',
      zip: await zipOf({ 'lib/own.jar': await zipOf({ 'example/Other.class': javaClass(11) }) }),
      code: 'INVALID_PACKAGE',
      text: /no class example\.Handler/
    },
    {
      what: 'a jar that is none',
      runtime: 'java17',
      handler: 'example.Handler::handle',
      zip: await zipOf({ 'lib/own.jar': 'not a zip' }),
      code: 'INVALID_PACKAGE',
      text: /lib\/own\.jar is no jar/
    },
    {
      what: 'a jar that lies elsewhere',
      runtime: 'java17',
      handler: 'example.Handler',
      zip: await zipOf({ 'own.jar': await zipOf({ 'example/Handler.class': javaClass(11) }) }),
      code: 'INVALID_PACKAGE',
      text: /Jars count only in lib\//
    },
    {
      what: 'a class for a newer Java',
      runtime: 'java17',
      handler: 'example.Handler',
      zip: await zipOf({ 'example/Handler.class': javaClass(99) }),
      code: 'INVALID_PACKAGE',
      text: /was compiled for Java 99, and java17 runs on .*--release/
    },
    {
      what: 'a class in a folder too many',
      runtime: 'java17',
      handler: 'example.Handler',
      zip: await zipOf({ 'target/classes/example/Handler.class': javaClass(11) }),
      code: 'INVALID_PACKAGE',
      text: /lies in target\/classes\/: pack the contents/
    },
    {
      what: 'an assembly that is not there',
      runtime: 'dotnet8',
      handler: 'Own::Own.Function::Handle',
      zip: await zipOf({ 'Other.dll': 'MZ' }),
      code: 'INVALID_PACKAGE',
      text: /no Own\.dll or Own\.exe.*Other\.dll/
    },
    {
      what: 'names with backslashes',
      runtime: 'nodejs20.x',
      handler: 'index.handler',
      zip: rawZip([{ name: 'folder\\index.mjs' }], crc32),
      code: 'INVALID_ARCHIVE',
      text: /invalid characters in fileName: folder/
    },
    {
      what: 'names that are no UTF-8',
      runtime: 'nodejs20.x',
      handler: 'index.handler',
      zip: rawZip([{ name: Buffer.from([0x61, 0xff, 0xfe]) }], crc32),
      code: 'INVALID_ARCHIVE',
      text: /UTF-8|not valid/
    }
  ]
  const before = await plane.files()
  for (const { what, runtime, handler, zip, code, text } of refusals) {
    const query = `runtime=${runtime}&handler=${encodeURIComponent(handler)}`
    const own = await plane.put(`refused?${query}`, zip)
    t.match(own.json(), { status: 400, code, detail: text, fault: 'caller' }, what)
    const aws = await plane.aws('POST', '/functions', {
      FunctionName: 'refused',
      Runtime: runtime,
      Handler: handler,
      Role: ROLE,
      Code: { ZipFile: zip.toString('base64') }
    })
    t.equal(aws.statusCode, 400, `${what}, for AWS's clients`)
    t.equal(aws.headers['x-amzn-errortype'], 'InvalidParameterValueException')
  }
  t.equal((await plane.get('/v1/functions/refused')).statusCode, 404)
  t.same(await plane.files(), before)
})

t.test('what may not work is said with the answer', async (t) => {
  const plane = await startControlPlane(t)
  const python = { 'lambda_function.py': 'def lambda_handler(e, c):\n  return 1\n' }
  for (const [what, target, zip, notice] of [
    [
      'native code for another processor',
      'node?runtime=nodejs20.x',
      await zipOf({ 'index.mjs': 'export const handler = 1', 'node_modules/a/build/a.node': elf(ELSEWHERE) }),
      new RegExp(`a\\.node is for ${ELSEWHERE}; this server runs ${HERE}`)
    ],
    [
      'a module compiled for another Python',
      'python?runtime=python3.11',
      await zipOf({
        ...python,
        'own.cpython-36m-x86_64-linux-gnu.so': elf(HERE),
        'b.cpython-36-x86_64-linux-gnu.so': elf(HERE)
      }),
      /b\.cpython-36-.* was compiled for Python 3\.6; the function runs on Python 3\.\d+/
    ],
    [
      'a bootstrap of an interpreter that is not there',
      'custom?runtime=provided.al2023',
      executable(Buffer.from('#!/usr/bin/no-such-program\n')),
      /#!\/usr\/bin\/no-such-program, which this server does not have/
    ],
    [
      'a folder around everything',
      'wrapped?runtime=python3.11&handler=lambda_function.lambda_handler',
      await zipOf({ 'project/lambda_function.py': '' }),
      /no lambda_function\.py.*project/
    ],
    ['no bootstrap', 'none?runtime=provided.al2023', await zipOf({ 'index.mjs': '' }), /no file named bootstrap/]
  ] as const) {
    const deployed = await plane.put(target, zip)
    t.equal(deployed.statusCode, 201, what)
    t.match(deployed.json(), { notices: [notice] }, what)
  }
  const both = await zipOf({ 'index.mjs': '', 'a/arm64.node': elf('arm64'), 'a/x64.node': elf('x86_64') })
  const { notices } = (await plane.put('both?runtime=nodejs20.x', both)).json<{ notices: string[] }>()
  t.same(notices, [], 'a package with code for several')
})

t.test('processors that this machine is not, and runtimes that it has not', async (t) => {
  const plane = await startControlPlane(t)
  const create = (more: object) =>
    plane.aws('POST', '/functions', {
      FunctionName: 'f',
      Runtime: 'nodejs20.x',
      Handler: 'index.handler',
      Role: ROLE,
      Code: { ZipFile: 'UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==' },
      ...more
    })
  t.match((await create({ Architectures: [ELSEWHERE] })).json(), { message: new RegExp(`runs ${HERE} functions`) })
  t.match((await create({ Runtime: 'python2.7' })).json(), { message: /no longer supported/ })
  t.match((await create({ Runtime: 'python4' })).json(), { message: /failed to satisfy constraint/ })

  // A machine with one old Python and no more.
  const [version, execPath, prefix] = ['3.9.2', '/usr/bin/python3.9', '/usr']
  const machine = createRuntimes(createRegistry([pythonLanguage([{ version, execPath, prefix }], '/none')]))
  t.match(machine.check('python3.12'), /python3\.12 is served by Python 3\.9\.2, which is another version/)
  t.equal(machine.check('python3.9'), undefined)
  t.throws(() => machine.check('java17'), { code: 'INVALID_REQUEST' })
  const none = createRuntimes(
    createRegistry([
      pythonLanguage([{ version, execPath, prefix }], '/none'),
      { ...pythonLanguage([], '/none'), name: 'other', identifiers: ['python3.14'] }
    ])
  )
  t.throws(() => none.check('python3.14'), {
    code: 'UNSUPPORTED_RUNTIME',
    message: /nothing that runs python3\.14: install Python 3\.14 or newer/
  })
})
