import { type RuntimeUnderAttack, text } from './runtime.ts'

/** Where Hearth puts the Node.js that its supervisor runs on. */
export const SUPERVISORS_NODE = '/run/hearth/node'

/** A bootstrap that gives its events to the attack which the handler names. */
const BOOTSTRAP = `#!${SUPERVISORS_NODE}
const fs = require('node:fs'), http = require('node:http'), net = require('node:net'), childProcess = require('node:child_process')
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':')
const loot = [], refused = {}
const attempt = async (name, act) => {
  try {
    if (await act()) loot.push(name)
    else refused[name] = 'nothing'
  } catch (error) { refused[name] = error.code ?? String(error) }
}
const ask = (method, path, body = '', headers = {}) => new Promise((resolve, reject) => {
  const req = http.request({ host, port, method, path, headers }, (res) => {
    let text = ''
    res.on('data', (chunk) => (text += chunk)).on('end', () => resolve({ status: res.statusCode, headers: res.headers, text })).on('error', reject)
  })
  req.on('error', reject)
  req.end(body)
})
const runtime = '/2018-06-01/runtime'
const supervisor = process.ppid
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const kit = { attempt, ask, runtime, supervisor, sleep, loot, refused, fs, http, net, childProcess, host, port }
;(async () => {
  const { init, attack } = require('/var/task/' + process.env._HANDLER + '.cjs')
  await init?.(kit)
  for (;;) {
    const event = await ask('GET', runtime + '/invocation/next')
    const id = event.headers['lambda-runtime-aws-request-id']
    const facts = Object.fromEntries(JSON.parse(event.text).split('\\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
    const answer = await attack(facts, { ...kit, id })
    const lines = [...loot.map((name) => 'loot\\t' + name), ...Object.entries(refused).map(([name, error]) => 'refused\\t' + name + '\\t' + error)]
    await ask('POST', runtime + '/invocation/' + id + '/response', JSON.stringify(answer ?? lines.join('\\n')))
  }
})()
`

/** Bodies are JavaScript: `attack`, and `init` when it does something before the first event. */
export const PROVIDED: RuntimeUnderAttack = {
  name: 'provided',
  identifier: 'provided.al2023',
  memoryMiB: 256,
  carrier: `exports.attack = (facts, { childProcess }) =>
  childProcess.spawnSync(facts.node, ['/var/task/carried.mjs'], { input: facts.facts, stdio: ['pipe', 'pipe', 'inherit'] }).stdout.toString()`,
  build: (bodies) => ({
    bootstrap: text(BOOTSTRAP, 0o755),
    ...Object.fromEntries(bodies.map((body, n) => [`attack${n}.cjs`, text(body)]))
  }),
  handlerOf: (n) => `attack${n}`
}
