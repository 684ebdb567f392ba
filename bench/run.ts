import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT, startHearth } from '@hearth/test/helpers/hearth'
import { measureAccess } from './access.ts'
import { measureAsync } from './async.ts'
import { measureCold } from './cold.ts'
import { measureFreeze } from './freeze.ts'
import { measureHttp } from './http.ts'
import { measureLogs } from './logs.ts'
import { measureMemory } from './memory.ts'
import { measureMetrics } from './metrics.ts'
import { measurePatterns } from './patterns.ts'
import { report } from './report.ts'
import { measureRuntimes } from './runtimes.ts'
import { measureScale } from './scale.ts'
import { measureStream } from './stream.ts'
import { bareFastify, bareHttp, hearth, workerd } from './targets.ts'
import { measureTraces } from './traces.ts'
import { measureWarm } from './warm.ts'
import { measureWebSockets } from './websockets.ts'

const { values, positionals } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    cold: { type: 'string', default: '200' },
    only: {
      type: 'string',
      default: 'warm,http,async,patterns,stream,cold,runtimes,scale,freeze,memory,access,metrics,traces,websockets,logs'
    },
    write: { type: 'boolean', default: false }
  },
  allowPositionals: true
})
// `npm run bench -- cold` is all about cold starts.
const only = positionals.length > 0 ? positionals : values.only.split(',')
const isWanted = (part: string) => only.includes(part) || (part === 'runtimes' && positionals.includes('cold'))
const tmpDir = mkdtempSync(path.join(tmpdir(), 'hearth-bench-'))
const show = (text: string) => process.stdout.write(`${text}\n`)

/** Everything at once in one run, so that ratios compare like with like. */
async function warm() {
  const targets = [
    await bareHttp(),
    await bareFastify(),
    await workerd(tmpDir),
    await hearth('Hearth, process', 'memory=1769'),
    await hearth('Hearth, concurrency=32', 'memory=1769&concurrency=32')
  ]
  try {
    const options = { rounds: Number(values.rounds), seconds: Number(values.seconds), connections: 32, tmpDir }
    return await measureWarm(targets, options)
  } finally {
    for (const target of targets) await target.stop()
  }
}

async function cold() {
  const results = []
  for (const [name, prestarted] of [
    ['pre-started sandbox', 2],
    ['sandbox made on demand', 0]
  ] as const) {
    const server = await startHearth({ env: { HEARTH_PRESTARTED: String(prestarted) } })
    try {
      results.push(await measureCold(server, name, Number(values.cold), prestarted))
    } finally {
      await server.stop()
    }
  }
  return results
}

async function memory() {
  const startedAt = performance.now()
  const server = await startHearth()
  const startMs = performance.now() - startedAt
  try {
    return await measureMemory(server, startMs)
  } finally {
    await server.stop()
  }
}

try {
  const text = report({
    warm: isWanted('warm') ? await warm() : undefined,
    http: isWanted('http') ? await measureHttp(Number(values.rounds), Number(values.seconds), tmpDir) : undefined,
    events: isWanted('async') ? await measureAsync(Number(values.seconds), tmpDir) : undefined,
    patterns: isWanted('patterns') ? measurePatterns(Number(values.seconds)) : undefined,
    stream: isWanted('stream') ? await measureStream(Number(values.rounds)) : undefined,
    cold: isWanted('cold') ? await cold() : undefined,
    runtimes: isWanted('runtimes') ? await measureRuntimes(tmpDir, Number(values.cold)) : undefined,
    scale: isWanted('scale') ? await measureScale() : undefined,
    freeze: isWanted('freeze') ? await measureFreeze(3_000) : undefined,
    memory: isWanted('memory') ? await memory() : undefined,
    access: isWanted('access') ? measureAccess() : undefined,
    metrics: isWanted('metrics') ? await measureMetrics() : undefined,
    traces: isWanted('traces') ? measureTraces() : undefined,
    websockets: isWanted('websockets') ? await measureWebSockets() : undefined,
    logs: isWanted('logs') ? await measureLogs() : undefined,
    command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.trim()
  })
  show(text)
  if (values.write) writeFigures(path.join(ROOT, 'docs/benchmarks.md'), text)
} finally {
  rmSync(tmpDir, { recursive: true, force: true })
}

/** Puts the tables where the document has them; what is said about them stays. */
function writeFigures(file: string, tables: string): void {
  const old = readFileSync(file, 'utf8')
  const figures = tables.trim().replaceAll(/^## /gm, '### ')
  writeFileSync(
    file,
    old.replace(/(<!-- figures -->\n)[\s\S]*(\n<!-- \/figures -->)/, (_all, from, to) => `${from}${figures}${to}`)
  )
}
