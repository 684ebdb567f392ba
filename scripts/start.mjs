// npm start: sets up what is missing, then starts the control plane and the gateway and keeps both running.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { runScript, setup } from './setup.mjs'
import { supervise } from './supervise.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

await runScript(async () => {
  setup()
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
  console.log(`settings: ${JSON.stringify(redactConfig(config))}`)
  await supervise({
    // The control plane makes the database and the keys; the gateway waits for them.
    programs: [
      { name: 'control-plane', file: path.join(root, 'apps/control-plane/dist/bundle.mjs') },
      { name: 'gateway', file: path.join(root, 'apps/gateway/dist/bundle.mjs') }
    ],
    drainMs: config.drainMs,
    onReady: ({ gateway }) => printWelcome(config, gateway.port, isFirstStart)
  })
})

function printWelcome(config, port, isFirstStart) {
  const tokenFile = path.relative(process.cwd(), path.join(config.dataDir, 'token')) || 'token'
  const origin = `${config.host === '127.0.0.1' ? 'localhost' : config.host}:${port}`
  const lines = [
    '',
    `Hearth listens on http://${origin}`,
    ...(isFirstStart
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
