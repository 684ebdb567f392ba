import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { openAnswers } from '@hearth/executor/internal/runtimes/answers'
import { classVersion, readJarEntry } from '@hearth/executor/internal/runtimes/java/jar'
import { findJvms, type Jvm, parseVersion } from '@hearth/executor/internal/runtimes/java/jvms'
import { javaLanguage } from '@hearth/executor/internal/runtimes/java/language'
import { bootPlan, memoryFlags } from '@hearth/executor/internal/runtimes/java/launch'
import { openMachine } from '@hearth/executor/internal/runtimes/machine'
import type { PackageView } from '@hearth/executor/internal/runtimes/runtime'
import t from 'tap'
import { compileJava, makeJar, RELEASE } from './java-classes.ts'

const jvm = (version: string): Jvm => ({ home: `/jvm/${version}`, ...parseVersion(version)!, etc: [] })

t.test('versions', (t) => {
  t.same(parseVersion('17.0.15'), { version: '17.0.15', major: 17 })
  t.same(parseVersion('1.8.0_392'), { version: '8.0.392', major: 8 })
  t.same(parseVersion('25'), { version: '25', major: 25 })
  t.same(parseVersion('26-ea'), { version: '26', major: 26 })
  t.same(parseVersion('11.0.2+9'), { version: '11.0.2', major: 11 })
  t.equal(parseVersion('unknown'), undefined)
  t.end()
})

t.test('JVMs of a machine', async (t) => {
  const dir = t.testdir({
    release: { bin: { java: '' }, lib: { modules: '' }, release: 'IMPLEMENTOR="X"\nJAVA_VERSION="21.0.3"\n' },
    jdk8: { jre: { bin: { java: '' }, lib: { 'rt.jar': '' } }, release: 'JAVA_VERSION="1.8.0_402"\n' },
    old: { bin: { java: '' }, lib: { modules: '' }, release: 'JAVA_VERSION="1.7.0_80"\n' },
    plain: { bin: { java: '' }, lib: { modules: '' } },
    shim: { java: '' },
    bin: {}
  })
  const said = `    java.home = ${dir}/plain\n    java.version = 11.0.9\n`
  const script = (file: string, text: string) => {
    writeFileSync(path.join(dir, file), `#!/bin/sh\n${text}\n`)
    chmodSync(path.join(dir, file), 0o755)
  }
  script('release/bin/java', 'exit 1')
  script('jdk8/jre/bin/java', 'exit 1')
  script('old/bin/java', 'exit 1')
  script('plain/bin/java', `cat >&2 <<X\n${said}X`)
  script('shim/java', `exec ${dir}/plain/bin/java "$@"`)
  symlinkSync(path.join(dir, 'release/bin/java'), path.join(dir, 'bin/java'))
  mkdirSync(path.join(dir, 'release/conf'))
  symlinkSync('/etc/java-no-such-folder/x', path.join(dir, 'release/conf/x'))
  const machine = openMachine({
    node: { execPath: process.execPath, version: process.versions.node },
    bundledDir: dir,
    configured: {
      java: ['jdk8/jre/bin/java', 'old/bin/java', 'shim/java', 'no/java'].map((file) => path.join(dir, file))
    },
    path: path.join(dir, 'bin'),
    answers: await openAnswers(path.join(dir, 'answers.json'))
  })
  const found = (await findJvms(machine)).filter(({ home }) => home.startsWith(dir))
  t.same(found, [
    { home: path.join(dir, 'jdk8/jre'), version: '8.0.402', major: 8, etc: [] },
    { home: path.join(dir, 'plain'), version: '11.0.9', major: 11, etc: [] },
    { home: path.join(dir, 'release'), version: '21.0.3', major: 21, etc: [] }
  ])
})

t.test('which JVM serves what', (t) => {
  const { identifiers, interpreters, ...language } = javaLanguage(
    [jvm('21.0.1'), jvm('17.0.15'), jvm('17.0.1')],
    '/runtime'
  )
  const table = identifiers.map((identifier) => {
    const found = language.serve(identifier, 'example.Handler')!
    return [identifier, found.interpreter.name, found.interpreter.version, found.served.exact]
  })
  t.same(table, [
    ['java8.al2', 'java17-open', '17.0.15', false],
    ['java11', 'java17-open', '17.0.15', false],
    ['java17', 'java17', '17.0.15', true],
    ['java21', 'java21', '21.0.1', true],
    ['java25', 'java21', '21.0.1', false]
  ])
  t.equal(new Set(interpreters.map(({ name }) => name)).size, interpreters.length, 'names are unique')

  const old = javaLanguage([jvm('1.8.0_402'), jvm('11.0.2')], '/runtime')
  t.same(
    old.identifiers.map((identifier) => old.serve(identifier, '')?.interpreter.name),
    ['java8', 'java11', 'java11', 'java11', 'java11']
  )
  const none = javaLanguage([], '/runtime')
  t.equal(none.serve('java17', 'example.Handler'), undefined)
  t.match(none.remedy('java17'), /^install a JDK of Java 17 or newer \(openjdk-17-jdk-headless/)
  t.end()
})

t.test('how a JVM is started', (t) => {
  const flags = (version: string, open = false) => bootPlan(jvm(version), '/runtime', open, 256).command
  t.notOk(
    flags('1.8.0_402').some((flag) => flag.startsWith('--')),
    'Java 8 knows no modules'
  )
  t.notOk(
    flags('17').some((flag) => flag.startsWith('--')),
    'Java 17 is closed'
  )
  t.ok(flags('17', true).includes('--add-opens=java.base/java.util=ALL-UNNAMED'))
  t.ok(flags('11').includes('--add-opens=java.base/java.lang=ALL-UNNAMED'), 'Java 11 was open')
  t.notOk(
    flags('17').some((flag) => flag.includes('SharedArchiveFile')),
    'no archive that is not there'
  )
  t.same(memoryFlags(128), ['-Xms16m', '-Xmx72m'])
  t.same(memoryFlags(10_240), ['-Xms16m', '-Xmx8971m'])
  t.end()
})

t.test('handlers', (t) => {
  const language = javaLanguage([], '/runtime')
  for (const handler of [
    'example.Handler',
    'Handler',
    'a.b.C::handle',
    'a.Outer$Inner::m',
    'größe.Händler::tu_es',
    '_A1'
  ]) {
    t.equal(language.handlerProblem(handler, 'java17'), undefined, handler)
  }
  for (const handler of [
    '',
    'example/Handler',
    'example.Handler::',
    '::handle',
    'a..B',
    'a.B:c',
    '1a.B',
    'a.B::c::d',
    'index.handler()'
  ]) {
    t.match(language.handlerProblem(handler, 'java17'), /names a class/, handler)
  }
  t.end()
})

t.test('packages', async (t) => {
  const dir = t.testdir({
    source: { example: { 'Handler.java': 'package example;\npublic class Handler { public void handle() {} }\n' } },
    classes: {},
    'garbage.jar': 'PK but not really'
  })
  const source = path.join(dir, 'source')
  compileJava(source, path.join(dir, 'classes'))
  makeJar(source, path.join(dir, 'handler.jar'))
  const classFile = readFileSync(path.join(dir, 'classes/example/Handler.class'))
  const jar = readFileSync(path.join(dir, 'handler.jar'))
  const garbage = readFileSync(path.join(dir, 'garbage.jar'))

  t.same(readJarEntry(jar, 'example/Handler.class'), classFile, 'a jar is read')
  t.equal(readJarEntry(jar, 'example/Other.class'), undefined)
  t.equal(readJarEntry(garbage, 'example/Handler.class'), undefined)
  for (let length = 0; length < jar.length; length += 7) {
    t.equal(readJarEntry(jar.subarray(0, length), 'example/Handler.class'), undefined, `cut at ${length}`)
  }
  t.equal(classVersion(classFile), RELEASE)
  t.equal(classVersion(Buffer.from('class')), undefined)

  const newer = Buffer.from(classFile)
  newer.writeUInt16BE(44 + RELEASE + 4, 6)
  const language = javaLanguage([jvm('17.0.15')], '/runtime')
  const inspect = (files: Record<string, Buffer>, handler = 'example.Handler::handle', identifier = 'java17') => {
    const view: PackageView = {
      files: Object.keys(files),
      isExecutable: () => false,
      head: async (file, bytes) => (files[file] ?? Buffer.alloc(0)).subarray(0, bytes)
    }
    return language.inspect(view, handler, identifier)
  }
  const file = 'example/Handler.class'
  const none = Buffer.alloc(0)
  t.same(await inspect({ [file]: classFile }), {}, 'classes')
  t.same(await inspect({ 'lib/a.jar': garbage, 'lib/b.jar': jar }), {}, 'a jar in lib')
  t.match(await inspect({ [file]: newer }), {
    problem:
      'The class example.Handler was compiled for Java 21, and java17 runs on Java 17.0.15 here: compile it with --release 17.'
  })
  t.match(await inspect({ [file]: newer }, 'example.Handler::handle', 'java21'), {
    problem: /Java 21, and java21 runs on Java 17/
  })
  t.match(await inspect({ [file]: classFile }, 'example.Handler::handle', 'java11'), {
    notices: [/compiled for Java 17\. It runs here, but AWS's java11 could not load it/]
  })
  t.match(await inspect({ [file]: Buffer.from('class Handler {') }), { problem: /is not a Java class file/ })
  const missing =
    'The package has no class example.Handler: neither example/Handler.class nor a jar in lib/ that holds it.'
  const advice: Record<string, Record<string, Buffer>> = {
    '': { 'data.txt': none },
    ' It lies in target/classes/: pack the contents of that folder.': {
      'target/classes/example/Handler.class': classFile
    },
    ' Is the handler org.acme.Handler?': { 'org/acme/Handler.class': classFile },
    ' Jars count only in lib/; handler.jar lies elsewhere.': { 'handler.jar': jar },
    ' Sources must be compiled first.': { 'example/Handler.java': none }
  }
  for (const [more, files] of Object.entries(advice)) {
    t.same(await inspect(files), { problem: missing + more }, more || 'nothing like it')
  }

  const guess = (...files: string[]) => language.guess({ files, isExecutable: () => false, head: async () => none })
  t.equal(guess('example/Handler.class', 'example/Handler$1.class', 'lib/a.jar'), 'example.Handler')
  t.equal(guess('a/A.class', 'a/B.class'), undefined)
  t.equal(guess('index.mjs'), undefined)
})
