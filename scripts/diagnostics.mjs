// Writes a bundle for bug reports: of the running server, or of what is there when it does not run.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { inspectHere } from './inspect-here.mjs'
import { runScript, setup } from './setup.mjs'

const TIMEOUT_MS = 60_000

await runScript(async () => {
  setup()
  const { readConfig } = await import('@hearth/shared')
  const config = readConfig(process.env, process.cwd())
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const file = path.resolve(`hearth-diagnostics-${stamp}.tar.gz`)
  const bundle = (await fromServer(config)) ?? (await fromFolder(config))
  writeFileSync(file, bundle, { mode: 0o600, flag: 'wx' })
  console.log(
    `${file}\nIt has no secrets, code, events or logs of functions in it; names of functions and folders it has. Look before you send it.`
  )
})

/** @returns undefined when no server answers */
async function fromServer({ host, port, dataDir }) {
  const tokenFile = path.join(dataDir, 'token')
  if (!existsSync(tokenFile)) return undefined
  if (port === 0) {
    console.error('HEARTH_PORT is 0: set it to the port that the server printed; without it, less can be told')
    return undefined
  }
  const address = host === '0.0.0.0' ? '127.0.0.1' : host.includes(':') ? `[${host === '::' ? '::1' : host}]` : host
  try {
    const answer = await fetch(`http://${address}:${port}/v1/diagnostics`, {
      headers: { authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` },
      signal: AbortSignal.timeout(TIMEOUT_MS)
    })
    if (answer.status === 200) return Buffer.from(await answer.arrayBuffer())
    console.error(`the server answered ${answer.status}; without it, less can be told`)
  } catch {
    console.error('no server answers; without it, less can be told')
  }
  return undefined
}

async function fromFolder(config) {
  const { createTar, hideSecrets, redactConfig, withoutSecrets } = await import('@hearth/shared')
  const { inspectSchema, readDataSizes } = await import('@hearth/store')
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const parts = {
    'versions.json': { hearth: version, node: process.version, platform: process.platform, architecture: process.arch },
    'configuration.json': redactConfig(config),
    'isolation.json': await inspectHere(),
    'data-folder.json': await readDataSizes(config.dataDir).catch(({ code }) => ({ unavailable: code })),
    'schema.json': Object.fromEntries(
      ['hearth.db', 'queue.db', 'telemetry.db'].map((name) => [name, inspectSchema(path.join(config.dataDir, name))])
    )
  }
  const secrets = [config.masterKey, config.masterKeyCommand, config.s3?.secretAccessKey].filter(Boolean)
  const files = Object.entries(parts).map(([name, part]) => ({
    name: `hearth-diagnostics/${name}`,
    body: Buffer.from(`${hideSecrets(JSON.stringify(withoutSecrets(part), undefined, 2), secrets)}\n`)
  }))
  return gzipSync(createTar(files, Date.now()))
}
