import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { ROOT, startHearth } from '../helpers/hearth.ts'
import { zipOf } from '../helpers/zip.ts'

t.setTimeout(120_000)
// Java is taken to be missing on this machine.
const hearth = await startHearth({ env: { HEARTH_RUNTIME_PATHS: 'java=none' } })
t.teardown(() => hearth.stop())

interface Deployed {
  readonly runtime: string
  readonly handler: string
  readonly notices: readonly string[]
}

/** What `curl -T file …/v1/functions/` sends. */
const upload = async (file: string, name = path.basename(file)) =>
  hearth.request(`/v1/functions/${name}`, { method: 'PUT', body: readFileSync(path.join(ROOT, file)) })

t.test('single files of every language that has them', async (t) => {
  for (const [file, runtime, handler, says] of [
    ['hello.py', /^python3\.\d+$/, 'lambda_function.lambda_handler', /^Hello, Ada! \d+ ms left\.$/],
    ['hello.rb', /^ruby3\.\d$/, 'lambda_function.lambda_handler', /^Hello, Ada! This is hello\.$/],
    ['hello.sh', 'provided.al2023', 'function.handler', /^\d+ bytes of event$/]
  ] as const) {
    const deployed = await upload(`examples/${file}`)
    t.ok(deployed.ok, file)
    t.match(await deployed.json(), { runtime, handler })
    const answer = await hearth.request('/fn/hello', { method: 'POST', body: JSON.stringify({ name: 'Ada' }) })
    t.match(await answer.text(), says)
    t.equal(answer.status, 200)
  }
})

t.test('the language is told from the text when there is no file name', async (t) => {
  const python = 'import json\n\n\ndef handler(event, context):\n    return json.dumps(event)\n'
  const made = await hearth.deploy('told', python)
  t.match(await made.json(), { runtime: /^python/, handler: 'lambda_function.handler' })
  t.equal(await (await hearth.invoke('told', { a: 1 })).json(), '{"a": 1}')
  const changed = await hearth.deploy('told', 'export const handler = async (event) => event', 'runtime=nodejs20.x')
  t.match(await changed.json(), { runtime: 'nodejs20.x', handler: 'index.handler' })
  t.same(await (await hearth.invoke('told', { a: 1 })).json(), { a: 1 })
})

t.test('the runtime of a zip is told from what is in it', async (t) => {
  const zip = await zipOf({
    'lambda_function.py':
      'from vendored import greet\n\n\ndef lambda_handler(event, context):\n    return greet(event["name"])\n',
    'vendored/__init__.py': 'def greet(name):\n    return f"Hello, {name}!"\n'
  })
  const made = await hearth.deploy('packed', zip)
  t.match(await made.json(), { runtime: /^python/, handler: 'lambda_function.lambda_handler' })
  t.equal(await (await hearth.invoke('packed', { name: 'Ada' })).json(), 'Hello, Ada!')
})

t.test('a runtime of another version is named in the answer, and each runtime in the list', async (t) => {
  const { items, prestarted } = (await (await hearth.request('/v1/runtimes')).json()) as {
    items: {
      id: string
      language: string
      interpreter: string | null
      exact: boolean
      remedy: string | null
      prestarted: { memoryMiB: number; ready: number; target: number }[]
    }[]
    prestarted: { usedMiB: number; limitMiB: number }
  }
  for (const id of ['nodejs24.x', 'python3.9', 'python3.14', 'ruby3.4', 'provided.al2']) {
    t.ok(
      items.some((item) => item.id === id),
      id
    )
  }
  // Functions of Python were called above.
  const [python] = items.find(({ id }) => id === 'python3.14')?.prestarted ?? []
  t.equal(python?.memoryMiB, 128)
  t.ok((python?.target ?? 0) >= 2, 'as many as are configured, or as were wanted at once', { python })
  t.same(items.find(({ id }) => id === 'dotnet8')?.prestarted, [], 'what nothing uses is not kept ready')
  t.match(
    items.find(({ id }) => id === 'java17'),
    { interpreter: null, exact: false, remedy: /JDK of Java 17/ }
  )
  t.ok(prestarted.usedMiB > 0 && prestarted.usedMiB <= prestarted.limitMiB)
  const near = items.find(({ interpreter, exact }) => interpreter !== null && !exact)!
  const file = near.language === 'ruby' ? 'hello.rb' : near.language === 'python' ? 'hello.py' : 'hello.mjs'
  const deployed = await upload(`examples/${file}`, `near?runtime=${near.id}`)
  t.match(((await deployed.json()) as Deployed).notices.join(), `${near.id} is served by ${near.interpreter}`)
})

t.test('a runtime that is not installed is refused with what to install, and nothing is left', async (t) => {
  const jar = await zipOf({ 'example/Hello.class': 'no class' })
  const refused = await hearth.deploy('absent', jar, 'runtime=java21&handler=example.Hello')
  t.equal(refused.status, 400)
  t.match(await refused.json(), {
    code: 'UNSUPPORTED_RUNTIME',
    detail: /nothing that runs java21: install a JDK of Java 21 or newer \(openjdk-21/
  })
  t.equal((await hearth.request('/v1/functions/absent')).status, 404)

  t.ok((await hearth.deploy('stays', '#!/bin/sh\n', 'runtime=provided.al2023')).ok)
  const changed = await hearth.request('/v1/functions/stays', {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ runtime: 'java17', handler: 'example.Hello' })
  })
  t.equal(changed.status, 400)
  t.match(await changed.json(), { code: 'UNSUPPORTED_RUNTIME' })
  t.match(await (await hearth.request('/v1/functions/stays')).json(), { runtime: 'provided.al2023' })

  const created = await hearth.request('/2015-03-31/functions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      FunctionName: 'absent',
      Runtime: 'java21',
      Handler: 'example.Hello',
      Role: 'arn:aws:iam::000000000000:role/hearth-default',
      Code: { ZipFile: jar.toString('base64') }
    })
  })
  t.equal(created.status, 400)
  t.equal(created.headers.get('x-amzn-errortype'), 'InvalidParameterValueException')
  t.match(await created.json(), { message: /nothing that runs java21: install a JDK/ })
  t.equal((await hearth.request('/2015-03-31/functions/absent')).status, 404)
})
