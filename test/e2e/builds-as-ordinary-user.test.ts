import { chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { npmProject, startRegistries } from '../control-plane/registries.ts'
import { zipOf } from '../control-plane/support.ts'
import { ROOT, type startHearth } from '../helpers/hearth.ts'
import { relocateTree } from '../security/relocated-tree.ts'

/** Any id that is nobody's. */
const UID = 12_346

t.test(
  'a server of an ordinary user builds too',
  { skip: process.getuid?.() === 0 ? false : 'needs root' },
  async (t) => {
    const registry = await startRegistries(t)
    const home = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'hb-'))
    t.teardown(() => rmSync(home, { recursive: true, force: true }))
    const folders = { dataDir: path.join(home, 'data'), runDir: path.join(home, 'run') }
    for (const folder of Object.values(folders)) mkdirSync(folder)
    for (const folder of [home, ...Object.values(folders)]) chownSync(folder, UID, UID)
    const tree = path.join(home, 'tree')
    relocateTree(ROOT, tree)
    const helper = pathToFileURL(path.join(tree, 'test/dist/helpers/hearth.js')).href
    const relocated = (await import(helper)) as { startHearth: typeof startHearth }
    const hearth = await relocated.startHearth({
      dataDir: folders.dataDir,
      uid: UID,
      env: {
        HOME: home,
        HEARTH_RUN_DIR: folders.runDir,
        HEARTH_ISOLATION: 'best-effort',
        HEARTH_BUILDS: 'on',
        HEARTH_BUILD_NPM_REGISTRY: `${registry.url}/`
      }
    })
    t.teardown(() => hearth.stop())
    const greet = registry.npm({
      name: 'greet',
      version: '1.2.3',
      files: { 'index.js': 'exports.greet = (n) => `hi ${n}`' }
    })
    const source = `import { greet } from 'greet'\nexport const handler = async (): Promise<string> => greet('you')`
    const zip = await zipOf({ ...npmProject({ greet }, { type: 'module' }), 'index.ts': source })
    const deployed = await hearth.deploy('built', zip)
    t.match(await deployed.json(), { handler: 'index.handler', build: { log: /added 1 package/ } })
    t.equal(await (await hearth.invoke('built', {})).json(), 'hi you')
  }
)
