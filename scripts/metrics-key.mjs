// Makes the key that Prometheus reads metrics with, and writes its token to a file: a user that may do hearth:GetMetrics and
// nothing else. Does nothing when the file's token is good already.
//
//   node scripts/metrics-key.mjs --out FILE [--url http://127.0.0.1:8080] [--admin data/token] [--user prometheus] [--mode 400]
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const POLICY = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'hearth:GetMetrics', Resource: '*' }]
}
/** A server that starts beside this needs no longer. */
const UP_WITHIN_MS = 60_000

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    admin: { type: 'string', default: 'data/token' },
    user: { type: 'string', default: 'prometheus' },
    mode: { type: 'string', default: '400' }
  }
})

try {
  await main(values)
} catch (error) {
  console.error(`metrics-key: ${error.message}`)
  process.exitCode = 1
}

async function main({ out, url, admin, user, mode }) {
  if (out === undefined) throw new Error('--out names the file that the token is written to')
  if (!/^[0-7]{3}$/.test(mode)) throw new Error('--mode is three octal digits, such as 400')
  await untilReady(url)
  if (existsSync(out) && (await mayRead(url, readFileSync(out, 'utf8').trim()))) {
    console.log(`${out} is good`)
    return
  }
  const ask = asking(url, readFileSync(admin, 'utf8').trim())
  const name = encodeURIComponent(user)
  if ((await ask('GET', `/v1/users/${name}`, undefined, [200, 404])).status === 404) {
    await ask('PUT', `/v1/users/${name}`, { policies: { metrics: POLICY } }, [201])
  }
  const { token } = (await ask('POST', '/v1/keys', { user, label: 'metrics' }, [201])).body
  if (!(await mayRead(url, token)))
    throw new Error(`the user ${user} may not do hearth:GetMetrics: change its policies`)
  mkdirSync(path.dirname(out), { recursive: true })
  const temporary = `${out}.${process.pid}`
  writeFileSync(temporary, `${token}\n`, { mode: Number.parseInt(mode, 8), flag: 'wx' })
  renameSync(temporary, out)
  console.log(`${out} has a key of the user ${user}`)
}

async function untilReady(url) {
  for (const until = Date.now() + UP_WITHIN_MS; ; await wait(250)) {
    const status = await fetch(`${url}/readyz`).then(
      (answer) => answer.status,
      (error) => error.cause?.code ?? error.message
    )
    if (status === 200) return
    if (Date.now() > until) throw new Error(`${url}/readyz answers ${status}`)
  }
}

async function mayRead(url, token) {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
  await answer.body?.cancel()
  return answer.status === 200
}

function asking(url, token) {
  return async (method, target, body, expected) => {
    const answer = await fetch(url + target, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const told = await answer.json().catch(() => ({}))
    if (!expected.includes(answer.status)) {
      throw new Error(`${method} ${target} answers ${answer.status}: ${told.title ?? told.detail ?? 'no reason'}`)
    }
    return { status: answer.status, body: told }
  }
}
