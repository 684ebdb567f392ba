// Secrets on a whole server: what functions get, what nobody finds, and the master key's change under way.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { eventually, startHearth } from '../helpers/hearth.ts'

const PLAIN = 'plain-Hunter2'
const ROLE = 'arn:aws:iam::000000000000:role/reader'
t.setTimeout(120_000)

const hearth = await startHearth({ env: { HEARTH_LOG_LEVEL: 'info' } })
t.teardown(() => hearth.stop())
const send = async (method: string, url: string, body?: object) => {
  const response = await hearth.request(url, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> }
}
const allow = (Resource: string) => ({
  policies: {
    p: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource }]
    }
  }
})
const SOURCE = `const { URL_OF = '', PASSWORD = '', LITERAL = '', OLD = '' } = process.env
export const handler = async () => ({ URL_OF, PASSWORD, LITERAL, OLD })`
const VARIABLES = {
  URL_OF: 'secret:app/db#url',
  PASSWORD: 'secret:app/db@AWSCURRENT#password',
  LITERAL: 'secret::text'
}
const deploy = (name: string, variables: Record<string, string>) => {
  const query = new URLSearchParams({ runtime: 'nodejs20.x', role: ROLE })
  for (const [key, value] of Object.entries(variables)) query.append(`env.${key}`, value)
  return hearth.deploy(name, SOURCE, query.toString())
}
const invoke = async (name: string) => {
  const response = await hearth.invoke(name)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

t.test('a variable stands for a secret, in the instance alone', async (t) => {
  await send('PUT', '/v1/roles/reader', allow('arn:aws:secretsmanager:*:*:secret:app/*'))
  await send('PUT', '/v1/secrets/app%2Fdb', { value: JSON.stringify({ url: 'db:5432', password: PLAIN }) })
  await send('PUT', '/v1/secrets/other', { value: 'x' })
  for (const [value, why] of [
    ['secret:app/absent', /not there, or/],
    ['secret:other', /not there, or/],
    ['secret:app/db@AWSPENDING', /no version .* AWSPENDING/],
    ['secret:', /stands for a secret, as/]
  ] as const) {
    const refused = await deploy('refused', { VALUE: value })
    t.equal(refused.status, 400, value)
    const problem = (await refused.json()) as { code: string; detail: string }
    t.match(problem, { code: 'INVALID_SECRET_REFERENCE', detail: why })
  }
  t.equal((await send('GET', '/v1/functions/refused')).status, 404)

  const made = await deploy('reader', VARIABLES)
  t.equal(made.status, 201, await made.text())
  t.match(await invoke('reader'), { status: 200, body: { URL_OF: 'db:5432', PASSWORD: PLAIN, LITERAL: 'secret:text' } })
  const shown = await send('GET', '/2015-03-31/functions/reader/configuration')
  t.match(shown.body, { Environment: { Variables: VARIABLES } }, 'what is shown is the reference')

  const next = JSON.stringify({ url: 'db:5433', password: PLAIN })
  t.equal((await send('POST', '/v1/secrets/app%2Fdb/versions', { value: next })).status, 201)
  t.match(await invoke('reader'), { body: { URL_OF: 'db:5433' } }, 'instances with the old value serve no more')
})

t.test('a secret that is gone is the fault of the function', async (t) => {
  const failed = async (errorType: string, what: RegExp) => {
    const { status, body } = await invoke('reader')
    t.match({ status, body }, { status: 502, body: { errorType, errorMessage: what } }, errorType)
    const aws = await hearth.request('/2015-03-31/functions/reader/invocations', { method: 'POST' })
    t.equal(aws.status, 200)
    t.equal(aws.headers.get('x-amz-function-error'), 'Unhandled')
    t.match(await aws.json(), { errorType, errorMessage: what })
  }
  await send('PUT', '/v1/roles/reader', allow('arn:aws:secretsmanager:*:*:secret:none'))
  // Another setting of the function makes new instances.
  await send('PATCH', '/v1/functions/reader', { memory: 192 })
  await failed('Hearth.SecretAccessDenied', /RequestId: .* not allowed to read/)
  await send('PUT', '/v1/roles/reader', allow('arn:aws:secretsmanager:*:*:secret:app/*'))
  t.match(await invoke('reader'), { status: 200 })
  await send('POST', '/v1/secrets/app%2Fdb/versions', { value: 'no JSON' })
  await failed('Hearth.SecretInvalid', /not a JSON object with the member/)
  await send('DELETE', '/v1/secrets/app%2Fdb?recoveryDays=0')
  await failed('Hearth.SecretNotFound', /is not there/)
  await send('PUT', '/v1/secrets/app%2Fdb', { value: JSON.stringify({ url: 'back', password: PLAIN }) })
  t.match(await invoke('reader'), { status: 200, body: { URL_OF: 'back' } })
})

t.test('the master key changes under way, and a crash in the middle loses nothing', async (t) => {
  interface Status {
    source: string
    keys: { id: string; retiredAt: string | null; sealed: number }[]
  }
  const status = async () => (await send('GET', '/v1/master-key')).body as unknown as Status
  for (let i = 0; i < 12; i++)
    await send('POST', '/v1/secrets/app%2Fdb/versions', { value: `{"url":"${i}","password":"x"}` })
  const before = await status()
  t.match(before, { source: 'file', keys: [{ retiredAt: null }] })
  t.equal(before.keys.length, 1)

  const rotated = (await send('POST', '/v1/master-key/rotate')).body as unknown as Status
  process.kill(hearth.pids().controlPlane, 'SIGKILL')
  t.match(rotated.keys, [{ retiredAt: null }, { id: before.keys[0]?.id, retiredAt: String }])
  t.match(await invoke('reader'), { status: 200, body: { URL_OF: '11' } }, 'the gateway serves all the while')
  const after = await eventually(async () => {
    // It is started again meanwhile, and says so.
    const now: Partial<Status> = await status()
    return now.keys?.[1]?.sealed === 0 ? (now as Status) : undefined
  }, 30_000)
  t.equal(after.keys[0]?.id, rotated.keys[0]?.id)
  t.equal((await send('GET', '/v1/secrets/app%2Fdb/value')).status, 200)
  await send('PATCH', '/v1/functions/reader', { memory: 256 })
  t.match(await invoke('reader'), { status: 200, body: { URL_OF: '11' } }, 'new instances read what was sealed anew')
  await send('PUT', '/v1/secrets/late', { value: 'sealed-late' })
  t.match((await send('GET', '/v1/secrets/late/value')).body, { value: 'sealed-late' })
})

t.test('no file of the server and nothing that it printed has a value in clear', async (t) => {
  t.notMatch(hearth.output(), PLAIN)
  for (const entry of readdirSync(hearth.dataDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === 'tmp.img') continue
    const file = path.join(entry.parentPath, entry.name)
    t.notOk(readFileSync(file).includes(PLAIN), file)
  }
  t.end()
})
