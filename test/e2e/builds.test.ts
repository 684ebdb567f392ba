import { spawnSync } from 'node:child_process'
import t from 'tap'
import { npmProject, startRegistries } from '../control-plane/registries.ts'
import { zipOf } from '../control-plane/support.ts'
import { startHearth } from '../helpers/hearth.ts'

const hasBundler = spawnSync('ruby', ['-e', 'Gem.bin_path("bundler", "bundle")']).status === 0

t.test('functions use what a deploy installed', async (t) => {
  const registry = await startRegistries(t)
  const hearth = await startHearth({
    env: {
      HEARTH_BUILDS: 'on',
      HEARTH_BUILD_HOSTS: '',
      HEARTH_BUILD_NPM_REGISTRY: `${registry.url}/`,
      HEARTH_BUILD_PIP_INDEX: `${registry.url}/simple/`,
      HEARTH_BUILD_GEM_SOURCE: registry.url
    }
  })
  t.teardown(() => hearth.stop())
  const deploy = async (name: string, files: Record<string, string>, query = '') => {
    const response = await hearth.deploy(name, await zipOf(files), query)
    return { status: response.status, body: await response.json() }
  }
  const result = async (name: string) => (await hearth.invoke(name, {})).json()

  await t.test('npm, and the second time without installing', async (t) => {
    const greet = registry.npm({
      name: 'greet',
      version: '1.2.3',
      files: { 'index.js': 'exports.greet = (n) => `hi ${n}`' }
    })
    const files = {
      ...npmProject({ greet }),
      'index.mjs': `import { greet } from 'greet'\nexport const handler = async () => greet('npm')`
    }
    const first = await deploy('with-npm', files)
    t.match(first, {
      status: 201,
      body: { runtime: /^nodejs/, handler: 'index.handler', build: { log: /added 1 package/, cached: false } }
    })
    t.equal(await result('with-npm'), 'hi npm')
    const seen = registry.requests.length
    const second = await deploy('with-npm', { ...files, 'index.mjs': files['index.mjs'].replace("'npm'", "'again'") })
    t.match(second, { status: 200, body: { build: { cached: true } } })
    t.equal(registry.requests.length, seen, 'nothing was fetched')
    t.equal(await result('with-npm'), 'hi again')
  })

  await t.test('pip', async (t) => {
    const requirement = await registry.wheel('greetpy', '1.0', 'def greet(name):\n    return f"hi {name}"\n')
    const files = {
      'requirements.txt': `${requirement}\ngreetpy>=1.0, <2 ; python_version >= "3" # whatever comes\n`,
      'lambda_function.py': 'import greetpy\ndef lambda_handler(event, context):\n    return greetpy.greet("pip")\n'
    }
    t.match(await deploy('with-pip', files), {
      status: 201,
      body: {
        runtime: /^python/,
        build: { cached: false },
        notices: [/no single version of greetpy: .*Pin them with ==/]
      }
    })
    t.equal(await result('with-pip'), 'hi pip')
  })

  await t.test('a TypeScript project of several files, with paths and a package', async (t) => {
    const greet = registry.npm({
      name: 'greet',
      version: '1.2.3',
      files: { 'index.js': 'exports.greet = (n) => `hi ${n}`' }
    })
    const files = {
      ...npmProject({ greet }, { type: 'module' }),
      'tsconfig.json': JSON.stringify({ compilerOptions: { paths: { '@lib/*': ['./src/lib/*'] } } }),
      'src/index.ts': `import { shout } from '@lib/shout'\nimport { greet } from 'greet'\nimport { mark } from './mark.ts'\nexport const handler = async (): Promise<string> => shout(greet('ts')) + mark`,
      'src/lib/shout.ts': 'export const shout = (text: string): string => text.toUpperCase()',
      'src/mark.ts': 'export const mark: string = "!"'
    }
    t.match(await deploy('with-ts', files), {
      status: 201,
      body: { handler: 'src/index.handler', build: { cached: false } }
    })
    t.equal(await result('with-ts'), 'HI TS!')
  })

  await t.test('bundler', { skip: hasBundler ? false : 'no bundler' }, async (t) => {
    const files = {
      Gemfile: `source "${registry.url}"\n`,
      'Gemfile.lock': `GEM\n  remote: ${registry.url}/\n  specs:\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n`,
      'lambda_function.rb': 'def lambda_handler(event:, context:)\n  "hi bundler"\nend\n'
    }
    t.match(await deploy('with-gems', files), { status: 201, body: { runtime: /^ruby/, build: { cached: false } } })
    t.equal(await result('with-gems'), 'hi bundler')
  })
})
