import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { AWS_PRICES } from '@hearth/shared'
import { createFunctionsRepository, createSecretBox, openDirectory, openStore, readMasterKey } from '@hearth/store'
import t, { type Test } from 'tap'
import { CACHE_DIR, NODE } from '../helpers/hearth.ts'
import { ROLE, ROOT, SOURCE, zipOf } from './support.ts'

/** What `npm start` starts. */
const MAIN = path.join(ROOT, 'apps/control-plane/dist/bundle.mjs')

interface Running {
  readonly child: ChildProcess
  readonly port: number
  readonly output: () => string
}

/** Starts the real process. @returns undefined when it ended before it was ready */
async function start(
  t: Test,
  dataDir: string,
  env: Record<string, string> = {}
): Promise<Running & { readonly exit: number | null }> {
  const [command, ...args] = NODE
  const child = spawn(command, [...args, MAIN], {
    env: {
      PATH: process.env['PATH'],
      HEARTH_DATA_DIR: dataDir,
      HEARTH_CACHE_DIR: CACHE_DIR,
      HEARTH_CONTROL_PORT: '0',
      ...env
    },
    cwd: path.dirname(dataDir),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  let text = ''
  const collect = (chunk: Buffer): void => {
    text += chunk.toString()
  }
  child.stdout?.on('data', collect)
  child.stderr?.on('data', collect)
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const ready = once(child, 'message').then(([message]) => message as { ready: boolean; port: number })
  const ended = once(child, 'close').then(() => undefined)
  const message = await Promise.race([ready, ended])
  if (message !== undefined) t.equal(message.ready, true)
  return { child, port: message?.port ?? 0, output: () => text, exit: child.exitCode }
}

async function stop({ child }: Running, signal: NodeJS.Signals): Promise<number | null> {
  child.kill(signal)
  await once(child, 'exit')
  return child.exitCode
}

t.test('a first start makes the keys, tells nobody, and later starts keep them', async (t) => {
  const dataDir = path.join(t.testdir(), 'data')
  // As in a shell where the README's first lines were typed.
  const first = await start(t, dataDir, { HEARTH_TOKEN: 'of an earlier server' })
  const token = readFileSync(path.join(dataDir, 'token'), 'utf8')
  const credentials = readFileSync(path.join(dataDir, 'credentials'), 'utf8')
  t.match(token, /^hearth_[A-Za-z0-9_-]{43}\n$/)
  t.match(
    credentials,
    /^\[default\]\naws_access_key_id = AKIA[A-Z2-7]{16}\naws_secret_access_key = \S{40}\nregion = us-east-1\n$/
  )
  for (const name of ['token', 'credentials', 'master.key'])
    t.equal(statSync(path.join(dataDir, name)).mode & 0o777, 0o600, name)
  t.equal(statSync(dataDir).mode & 0o777, 0o700)

  const headers = { authorization: `Bearer ${token.trim()}` }
  const url = `http://127.0.0.1:${first.port}/v1/functions/f?env.SECRET_NAME=the-value-of-a-secret`
  t.equal((await fetch(url, { method: 'PUT', body: SOURCE, headers })).status, 201)
  t.equal((await fetch(url.replace('SECRET_NAME', 'AWS_REGION'), { method: 'PUT', body: SOURCE, headers })).status, 400)
  const directory = openDirectory(path.join(dataDir, 'hearth.db'), createSecretBox(readMasterKey(dataDir, undefined)))
  t.match(
    directory.findFunction('f'),
    { environment: { SECRET_NAME: 'the-value-of-a-secret' } },
    'the gateway reads it from its own process'
  )

  const rival = await start(t, dataDir)
  t.equal(rival.exit, 78)
  t.match(rival.output(), /^another control plane is using this data folder \(.*\)\n$/)

  t.equal(await stop(first, 'SIGTERM'), 0, 'stops when asked to')
  t.match(directory.findFunction('f'), { name: 'f' }, 'and its data can still be read')
  directory.close()
  const secret = /secret_access_key = (\S+)/.exec(credentials)?.[1] ?? ''
  const masterKey = readFileSync(path.join(dataDir, 'master.key'), 'utf8').trim()
  for (const private_ of [token.trim(), secret, masterKey, 'the-value-of-a-secret'])
    t.notOk(first.output().includes(private_), 'no secret is in the log')
  t.match(first.output(), /"msg":"listening"/)

  const second = await start(t, dataDir)
  t.equal(readFileSync(path.join(dataDir, 'token'), 'utf8'), token)
  t.equal((await fetch(`http://127.0.0.1:${second.port}/v1/functions/f`, { headers })).status, 200)
  await stop(second, 'SIGTERM')
})

t.test('after kill -9 everything deployed is there, and nothing half-done', async (t) => {
  const dataDir = path.join(t.testdir(), 'data')
  const first = await start(t, dataDir)
  const headers = { authorization: `Bearer ${readFileSync(path.join(dataDir, 'token'), 'utf8').trim()}` }
  const put = (port: number, name: string, body: Buffer | string) =>
    fetch(`http://127.0.0.1:${port}/v1/functions/${name}`, { method: 'PUT', body: body as never, headers })
  t.equal((await put(first.port, 'done', SOURCE)).status, 201)

  const many = Array.from({ length: 3_000 }, (_, index): [string, string] => [`d/${index}.js`, `${index}`])
  const large = await zipOf({ 'index.mjs': SOURCE, ...Object.fromEntries(many) })
  const underWay = put(first.port, 'half', large).catch(() => undefined)
  const tmp = path.join(dataDir, 'tmp')
  const deadline = Date.now() + 10_000
  while (readdirSync(tmp).length === 0 && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve))
  t.equal(readdirSync(tmp).length, 1, 'an upload is being unpacked')
  await stop(first, 'SIGKILL')
  await underWay

  const box = createSecretBox(readMasterKey(dataDir, undefined))
  const db = openStore(path.join(dataDir, 'hearth.db'), path.join(ROOT, 'migrations'))
  const functions = createFunctionsRepository(db, box)
  functions.update('done', (current) => current && { ...current, state: 'Pending', lastUpdateStatus: undefined })
  db.close()
  writeFileSync(path.join(dataDir, '.tmp-leftover'), 'x')

  const second = await start(t, dataDir)
  t.strictSame(readdirSync(tmp), [], 'what was half-done is gone')
  t.notOk(existsSync(path.join(dataDir, '.tmp-leftover')))
  const get = async (name: string) => fetch(`http://127.0.0.1:${second.port}/v1/functions/${name}`, { headers })
  t.match(await (await get('done')).json(), { state: 'Active' }, 'a deploy that was not announced as ready is')
  t.equal((await get('half')).status, 404)
  t.equal((await put(second.port, 'half', large)).status, 201)
  t.equal(readdirSync(path.join(dataDir, 'code')).length, 2)
  const created = await fetch(`http://127.0.0.1:${second.port}/2015-03-31/functions`, {
    method: 'POST',
    headers,
    body: JSON.stringify({
      FunctionName: 'aws',
      Role: ROLE,
      Runtime: 'nodejs20.x',
      Handler: 'index.handler',
      Code: { ZipFile: large.toString('base64') }
    })
  })
  t.equal(created.status, 201)
  t.equal(await stop(second, 'SIGTERM'), 0)
  t.match(second.output(), /"leftovers":2,"settled":1/)
})

t.test('a start that cannot be says why in one line', async (t) => {
  const dir = t.testdir()
  const cases: readonly (readonly [string, (dataDir: string) => void, Record<string, string>, RegExp])[] = [
    ['unknown setting', () => undefined, { HEARTH_PROT: '1' }, /^unknown setting HEARTH_PROT: .*\n$/],
    [
      'a gateway that nobody could find',
      () => undefined,
      { HEARTH_PORT: '0' },
      /^HEARTH_PORT: 0 is for npm start, .* it must be the gateway’s\n$/
    ],
    [
      'prices with a gap',
      (data) => {
        const tiers = [
          { from: 0, to: 5, price: 1 },
          { from: 6, price: 1 }
        ]
        const prices = { ...AWS_PRICES, prices: { ...AWS_PRICES.prices, requests: tiers } }
        writeFileSync(`${data}.json`, JSON.stringify(prices))
      },
      { HEARTH_PRICES: path.join(dir, 'prices-with-a-gap.json') },
      /^HEARTH_PRICES: prices\.requests\[1\]\.from: a gap: nothing is said between 5 and 6\n$/
    ],
    [
      'short master key',
      () => undefined,
      { HEARTH_MASTER_KEY: 'c2hvcnQ=' },
      /^HEARTH_MASTER_KEY: base64 of 32 bytes is expected\n$/
    ],
    [
      'master key from a command that fails',
      () => undefined,
      { HEARTH_MASTER_KEY_COMMAND: 'echo c2VjcmV0LWtleQ==; echo c2VjcmV0LWtleQ== >&2; exit 4' },
      /^HEARTH_MASTER_KEY_COMMAND ended with status 4; what it writes is never shown: run it by hand to see why\n$/
    ],
    [
      'two places for the master key',
      () => undefined,
      { HEARTH_MASTER_KEY: 'a', HEARTH_MASTER_KEY_COMMAND: 'b' },
      /^HEARTH_MASTER_KEY and HEARTH_MASTER_KEY_COMMAND: the master key comes from one place\n$/
    ],
    [
      'database of a newer server',
      (data) => writeNewer(data),
      {},
      /^the database has schema 99, made by a newer Hearth; this one knows \d+\n$/
    ],
    [
      'lost master key',
      (data) => {
        mkdirSync(data)
        writeFileSync(path.join(data, 'hearth.db'), '')
      },
      {},
      /master.key is missing .*: put the key back\n$/
    ]
  ]
  for (const [name, prepare, env, text] of cases) {
    const dataDir = path.join(dir, name.replaceAll(' ', '-'))
    prepare(dataDir)
    const run = await start(t, dataDir, env)
    t.equal(run.exit, 78, name)
    t.match(run.output(), text, name)
    rmSync(dataDir, { recursive: true, force: true })
  }
})

function writeNewer(dataDir: string): void {
  mkdirSync(dataDir)
  writeFileSync(path.join(dataDir, 'master.key'), `${Buffer.alloc(32, 1).toString('base64')}\n`)
  const db = openStore(path.join(dataDir, 'hearth.db'), path.join(ROOT, 'migrations'))
  db.pragma('user_version = 99')
  db.close()
}
