import { fileURLToPath } from 'node:url'
import { ConfigError, createLogTail, readConfig, redactConfig, SECRET_VARIABLES } from '@hearth/shared'
import { AddonMismatchError, runMasterKeyCommand, SchemaError, SecretBoxError } from '@hearth/store'
import closeWithGrace from 'close-with-grace'
import { openControlPlane } from './control-plane.ts'

/** What sysexits calls EX_CONFIG: whoever supervises this process must not start it again as it is. */
const EXIT_CONFIG = 78
// The process of the control plane: settings, data folder, signals, port. Nothing secret is ever printed.
try {
  const settings = readConfig(process.env, process.cwd())
  if (settings.port === 0) {
    throw new ConfigError(
      'HEARTH_PORT: 0 is for npm start, which gives both programs one; alone it must be the gateway’s'
    )
  }
  const { masterKeyCommand } = settings
  const config = {
    ...settings,
    masterKey: masterKeyCommand === undefined ? settings.masterKey : runMasterKeyCommand(masterKeyCommand, process.env)
  }
  // Not for the children: esbuild and sync inherit the environment.
  for (const name of SECRET_VARIABLES) delete process.env[name]
  const logTail = createLogTail(process.stdout)
  const app = await openControlPlane({
    config,
    migrationsDir: fileURLToPath(new URL('../../../migrations', import.meta.url)),
    server: {
      logger: { level: config.logLevel, base: { service: 'control-plane', pid: process.pid }, stream: logTail }
    },
    log: () => logTail.lines(),
    processMetrics: true,
    runtimeDir: process.env['XDG_RUNTIME_DIR'],
    searchPath: process.env['PATH'] ?? ''
  })
  app.log.info({ config: redactConfig(config) }, 'settings')

  const grace = closeWithGrace({ delay: config.drainMs, logger: app.log }, async ({ err, signal }) => {
    app.log[err ? 'fatal' : 'info']({ err, signal }, 'stopping')
    await app.close()
  })
  // Whoever supervised this process is gone: nobody would stop it or start it again.
  process.once('disconnect', () => {
    void grace.close()
  })

  await app.listen({ port: config.controlPort, host: '127.0.0.1' })
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : config.controlPort
  app.log.info({ port }, 'listening')
  process.send?.({ ready: true, port })
} catch (thrown) {
  // What the operator can mend is one line; anything else is a bug and wants its stack.
  const isKnown = [ConfigError, SchemaError, SecretBoxError, AddonMismatchError].some(
    (known) => thrown instanceof known
  )
  process.stderr.write(`${isKnown ? (thrown as Error).message : ((thrown as Error).stack ?? String(thrown))}\n`)
  process.exit(isKnown ? EXIT_CONFIG : 1)
}
