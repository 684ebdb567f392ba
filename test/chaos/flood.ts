// One function writes a flood of logs while another is called steadily:
// node test/dist/chaos/flood.js [megabytes] [instances]
import { readdirSync, statSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually, startHearth } from '../helpers/hearth.ts'

const [megabytes = 1_000, instances = 16] = process.argv.slice(2).map(Number)
const CAP = 64 * 1_048_576
const CALL_EVERY_MS = 10
const ROUND_MS = 5_000
const CALM_ROUNDS = 5
/** The first calls warm everything that they pass. */
const WARM_ROUNDS = 4
/** How much slower the others' slowest hundredth may become. */
const MAX_RATIO = 1.5
/** What one invocation of the flood writes. */
const PIECE_BYTES = 8_000_000
const FLOOD = `
const text = 'x'.repeat(999)
export const handler = async ({ bytes }) => {
  for (let written = 0; written < bytes; written += 1_000) console.log(text)
}`
const STEADY = `export const handler = async ({ n }) => { console.log('call ' + n) }`

interface Round {
  readonly calls: number
  readonly p50: number
  readonly p99: number
}

const hearth = await startHearth({
  env: {
    HEARTH_LOG_BYTES: String(CAP),
    HEARTH_LOG_TOTAL_BYTES: String(CAP)
  }
})
const logsDir = path.join(hearth.dataDir, 'logs')
let largestBytes = 0
const watch = setInterval(() => {
  largestBytes = Math.max(largestBytes, bytesUnder(logsDir))
}, 100)
try {
  await deployed('steady', STEADY, 'timeout=60')
  await deployed('flood', FLOOD, 'timeout=900')
  let called = 0
  const calm: Round[] = []
  const flooded: Round[] = []
  const oneRound = (): Promise<Round> => round(() => called++)
  for (let i = 0; i < WARM_ROUNDS; i++) await oneRound()
  while (calm.length < CALM_ROUNDS) calm.push(await oneRound())
  const loadBefore = loadavg()[0]!

  const startedAt = performance.now()
  let left = megabytes * 1_000_000
  let isFlooding = true
  const pieces = async (): Promise<void> => {
    while (left > 0) {
      const bytes = Math.min(left, PIECE_BYTES)
      left -= bytes
      const answer = await hearth.invoke('flood', { bytes })
      const text = await answer.text()
      if (answer.status !== 200 || text.includes('errorType')) throw new Error(`flood: ${answer.status} ${text}`)
    }
  }
  const flood = Promise.all(Array.from({ length: instances }, pieces)).finally(() => {
    isFlooding = false
  })
  flood.catch(() => undefined)
  while (isFlooding) {
    const one = await oneRound()
    // One that went on after the flood's end says nothing of it.
    if (isFlooding || flooded.length === 0) flooded.push(one)
  }
  await flood
  const seconds = (performance.now() - startedAt) / 1_000

  const kept = await eventually(async () => {
    const answer = await hearth.request('/v1/functions/steady/logs?q=call&limit=10000')
    const lines = (await answer.text()).split('\n').filter((line) => line !== '')
    return lines.length >= Math.min(called, 10_000) && lines.length
  }, 10_000).catch(() => 0)
  const before = middle(calm)
  const during = middle(flooded)
  const ratio = during.p99 / before.p99
  const metric = await metrics()
  const result = {
    floodBytes: megabytes * 1_000_000,
    seconds: rounded(seconds),
    instances,
    before,
    during,
    ratio: rounded(ratio),
    rounds: { before: calm.map(({ p99 }) => p99), during: flooded.map(({ p99 }) => p99) },
    storedBytes: metric('hearth_log_bytes_total{outcome="stored"}'),
    droppedBytes: metric('hearth_log_bytes_total{outcome="dropped"}'),
    droppedLines: metric('hearth_log_dropped_lines_total'),
    largestBytes,
    capBytes: CAP,
    steadyCalls: called,
    steadyLinesKept: kept,
    load: { before: rounded(loadBefore), after: rounded(loadavg()[0]!), cores: cpus().length }
  }
  console.log(JSON.stringify(result, undefined, 2))
  const wrong = [
    ratio > MAX_RATIO && `p99 of the others is ${rounded(ratio)} times what it was, more than ${MAX_RATIO}`,
    largestBytes > CAP && `logs took ${largestBytes} bytes, more than ${CAP}`,
    kept === 0 && 'lines of the others are lost',
    result.storedBytes + result.droppedBytes < result.floodBytes && 'bytes are neither stored nor counted as dropped'
  ].filter((text) => text !== false)
  for (const text of wrong) console.error(text)
  if (wrong.length > 0) process.exitCode = 1
} finally {
  clearInterval(watch)
  await hearth.stop()
}

async function deployed(name: string, source: string, query: string): Promise<void> {
  const answer = await hearth.deploy(`${name}.mjs`, source, query)
  if (answer.status !== 201) throw new Error(await answer.text())
}

/** Calls at fixed times, whether the ones before were answered or not: who waits is not counted once only. */
async function round(next: () => number): Promise<Round> {
  const times: Promise<number>[] = []
  const startedAt = performance.now()
  for (let due = 0; due < ROUND_MS; due += CALL_EVERY_MS) {
    const early = startedAt + due - performance.now()
    if (early > 0) await delay(early)
    times.push(timeOf(next()))
  }
  const sorted = (await Promise.all(times)).sort((a, b) => a - b)
  const at = (part: number): number => rounded(sorted[Math.ceil(sorted.length * part) - 1]!)
  return { calls: sorted.length, p50: at(0.5), p99: at(0.99) }
}

async function timeOf(n: number): Promise<number> {
  const from = performance.now()
  const answer = await hearth.invoke('steady', { n })
  await answer.arrayBuffer()
  if (answer.status !== 200) throw new Error(`steady: ${answer.status}`)
  return performance.now() - from
}

/** The middle of the rounds: what else the machine does falls into some of them. */
function middle(rounds: readonly Round[]): Omit<Round, 'calls'> {
  const of = (pick: (one: Round) => number): number =>
    rounds.map(pick).sort((a, b) => a - b)[Math.floor((rounds.length - 1) / 2)]!
  return { p50: of(({ p50 }) => p50), p99: of(({ p99 }) => p99) }
}

async function metrics(): Promise<(series: string) => number> {
  const text = await (await hearth.request('/metrics')).text()
  return (series) => {
    const line = text.split('\n').find((one) => one.startsWith(`${series} `))
    if (line === undefined) throw new Error(`no ${series} in the metrics`)
    return Number(line.slice(series.length + 1))
  }
}

/** Files come and go meanwhile. */
function bytesUnder(dir: string): number {
  let bytes = 0
  try {
    for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      try {
        bytes += statSync(path.join(entry.parentPath, entry.name)).size
      } catch {}
    }
  } catch {}
  return bytes
}

function rounded(value: number): number {
  return Number(value.toFixed(2))
}
