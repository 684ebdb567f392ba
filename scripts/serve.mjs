// Starts the control plane and the gateway as they are built, and keeps both running: what `npm start`, the systemd unit
// and the container do.
import { once } from 'node:events'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { runScript } from './setup.mjs'
import { supervise } from './supervise.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

/**
 * @param {{ showKey?: boolean }} [options] - whether the first start prints the administrator's key: not where output is kept
 * @returns {Promise<void>} when both have ended after a signal, or with exit code 78 (sysexits' EX_CONFIG) when the settings are wrong
 */
export async function serve({ showKey = false } = {}) {
  const { ConfigError, readConfig, redactConfig } = await import('@hearth/shared')
  let config
  try {
    config = readConfig(process.env, process.cwd())
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(`hearth: ${error.message}`)
    process.exitCode = 78
    return
  }
  const isFirstStart = !existsSync(path.join(config.dataDir, 'token'))
  const { port, controlPort } = await portsOf(config)
  console.log(`settings: ${JSON.stringify(redactConfig({ ...config, port, controlPort }))}`)
  await supervise({
    // The control plane makes the database and the keys; the gateway waits for them.
    programs: [
      { name: 'control-plane', file: path.join(root, 'apps/control-plane/dist/bundle.mjs') },
      { name: 'gateway', file: path.join(root, 'apps/gateway/dist/bundle.mjs') }
    ],
    env: { ...process.env, HEARTH_PORT: String(port), HEARTH_CONTROL_PORT: String(controlPort) },
    drainMs: config.drainMs,
    onReady: ({ gateway }) => printWelcome(config, gateway.port, isFirstStart && showKey)
  })
}

/** 0 becomes a free port, here and once: each program has to know the other's, and to be there again after a restart. */
async function portsOf({ host, port, controlPort }) {
  // Both are held until both are known, or they could be the same.
  const held = [await hold(port, host), await hold(controlPort, '127.0.0.1')]
  const ports = { port: held[0]?.address().port ?? port, controlPort: held[1]?.address().port ?? controlPort }
  for (const server of held) if (server !== undefined) await new Promise((resolve) => server.close(resolve))
  return ports
}

/** @returns what listens on a free port for now; undefined: the port was chosen */
async function hold(port, host) {
  if (port !== 0) return undefined
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  return server
}

function printWelcome(config, port, showKey) {
  const tokenFile = path.relative(process.cwd(), path.join(config.dataDir, 'token')) || 'token'
  const origin = `${config.host === '127.0.0.1' ? 'localhost' : config.host}:${port}`
  const lines = [
    '',
    `Hearth listens on http://${origin}`,
    ...(showKey
      ? [
          `Administrator key (shown once, kept in ${tokenFile}): ${readFileSync(path.join(config.dataDir, 'token'), 'utf8').trim()}`
        ]
      : []),
    '',
    'Try it from another terminal:',
    '',
    `  export HEARTH_TOKEN=$(cat ${tokenFile})`,
    `  echo 'export const handler = async (event) => \`Hello, \${JSON.parse(event.body).name}!\`' > hello.mjs`,
    `  curl -T hello.mjs -H "Authorization: Bearer $HEARTH_TOKEN" ${origin}/v1/functions/`,
    `  curl -H "Authorization: Bearer $HEARTH_TOKEN" ${origin}/fn/hello -d '{"name":"Ada"}'`,
    ''
  ]
  console.log(lines.join('\n'))
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await runScript(serve)
