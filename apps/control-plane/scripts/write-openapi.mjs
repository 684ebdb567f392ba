// Writes docs/openapi.json from the routes: node apps/control-plane/scripts/write-openapi.mjs (after a build).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { openControlPlane } from '../dist/index.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const dir = mkdtempSync(path.join(tmpdir(), 'hearth-openapi-'))
const app = await openControlPlane({
  config: {
    dataDir: path.join(dir, 'data'),
    region: 'us-east-1',
    accountId: '000000000000',
    masterKey: undefined,
    urlDomain: 'lambda-url.localhost',
    runtimePaths: {},
    concurrency: 200
  },
  migrationsDir: path.join(root, 'migrations'),
  server: { logger: false }
})
try {
  const res = await app.inject('/openapi.json')
  writeFileSync(path.join(root, 'docs/openapi.json'), `${JSON.stringify(res.json(), null, 2)}\n`)
} finally {
  await app.close()
  rmSync(dir, { recursive: true, force: true })
}
