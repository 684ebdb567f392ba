import { chmodSync, copyFileSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { openAnswers } from '@hearth/executor/internal/runtimes/answers'
import { openMachine } from '@hearth/executor/internal/runtimes/machine'
import t from 'tap'

t.test('what an interpreter said is kept while it is the same file', async (t) => {
  const dir = t.testdir({ pyenv: { shims: {}, versions: {}, version: '3.13' }, bin: {} })
  const file = path.join(dir, 'cache/interpreters.json')
  const counts = path.join(dir, 'counts')
  /** Tells that it was asked. */
  const script = (at: string): string => {
    const target = path.join(dir, at)
    writeFileSync(target, `#!/bin/sh\necho ${at} >> ${counts}\necho $1\n`)
    chmodSync(target, 0o755)
    return target
  }
  const program = path.join(dir, 'bin/program')
  copyFileSync('/bin/echo', program)
  const plain = script('bin/plain')
  const shim = script('pyenv/shims/python3')
  const asked = (at: string) =>
    readFileSync(counts, 'utf8')
      .split('\n')
      .filter((line) => line === at).length

  /** As a start of the server does. */
  const start = async () => {
    const answers = await openAnswers(file)
    const node = { execPath: process.execPath, version: process.versions.node }
    const machine = openMachine({ node, bundledDir: dir, configured: {}, path: '', answers })
    const texts = [await machine.ask(program, ['a']), await machine.ask(plain, ['b']), await machine.ask(shim, ['c'])]
    await answers.save()
    return texts
  }
  const said = ['a\n', 'b\n', 'c\n']
  t.same(await start(), said)
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.same(await start(), said)
  t.equal(asked('bin/plain'), 2, 'nobody knows what stands behind a script')
  t.equal(asked('pyenv/shims/python3'), 1)

  utimesSync(path.join(dir, 'pyenv/version'), 1, 1)
  t.same(await start(), said)
  t.equal(asked('pyenv/shims/python3'), 2, 'another version is chosen')
  mkdirSync(path.join(dir, 'pyenv/versions/3.14.0'))
  t.same(await start(), said)
  t.equal(asked('pyenv/shims/python3'), 3, 'one more is installed')

  // Other arguments are another question; another program gives other answers.
  const answers = await openAnswers(file)
  t.same(await answers.recall(program, ['a']), { text: 'a\n' })
  t.equal(await answers.recall(program, ['A']), undefined)
  copyFileSync('/bin/false', program)
  t.equal(await answers.recall(program, ['a']), undefined)
  t.same(await start(), [undefined, 'b\n', 'c\n'])
  t.same(await (await openAnswers(file)).recall(program, ['a']), { text: undefined }, 'that it failed is kept too')

  writeFileSync(file, '{"bro')
  t.same(await start(), [undefined, 'b\n', 'c\n'], 'a file that cannot be read counts as none')
})
