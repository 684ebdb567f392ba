import { execFileSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import path from 'node:path'
import { rubyLanguage } from '@hearth/executor/internal/runtimes/ruby/language'
import t, { type Test } from 'tap'
import { runtimesOfThisMachine, startExecutor, valueOf } from '../helpers/executor.ts'
import { eventually } from '../helpers/hearth.ts'

const RUNTIME = 'ruby3.2'
t.setTimeout(60_000)

const open = async (t: Test, files: Parameters<Test['testdir']>[0], spec: object = {}) => {
  const box = await startExecutor(t)
  return { box, pool: box.pool({ codeDir: t.testdir(files), runtime: RUNTIME, handler: 'app.handler', ...spec }) }
}

/** A gem of this machine with all of its files, and where they are. It came with Ruby, so that every machine has it. */
const WEBRICK = execFileSync('ruby', [
  '-e',
  'gem = Gem::Specification.find_by_name("webrick"); puts gem.full_gem_path, gem.spec_file'
])
  .toString()
  .trim()
  .split('\n')

/** Puts a gem of this machine into a package as `bundle install` does in a path of its own. */
function vendor(codeDir: string, abi: string, [folder = '', specification = '']: readonly string[]): void {
  const bundle = path.join(codeDir, 'vendor/bundle/ruby', abi)
  cpSync(folder, path.join(bundle, 'gems', path.basename(folder)), { recursive: true, dereference: true })
  cpSync(specification, path.join(bundle, 'specifications', path.basename(specification)), { dereference: true })
}

/** A gem as bundler lays it out. */
const gem = (name: string) => ({
  gems: { [`${name}-1.0.0`]: { lib: { [`${name}.rb`]: `${name.toUpperCase()} = '${name} 1.0.0'\n` } } },
  specifications: {
    [`${name}-1.0.0.gemspec`]: `Gem::Specification.new do |s|\n  s.name = '${name}'\n  s.version = '1.0.0'\n  s.summary = '${name}'\n  s.authors = ['a']\n  s.require_paths = ['lib']\nend\n`
  }
})

t.test('handlers in classes; gems of the package and of layers', async (t) => {
  const home = (await runtimesOfThisMachine()).resolve(RUNTIME, 'a.b')?.environment['GEM_HOME'] ?? ''
  const abi = home.split('/').at(-1) ?? ''
  const code = `
require 'vendored'
require 'layered'
require 'plain'
require 'webrick'

module Shop
  class Orders
    def self.process(event:, context:)
      form = WEBrick::HTTPUtils.parse_query(event['form'])
      [VENDORED, LAYERED, PLAIN, form, Gem.loaded_specs['webrick'].full_gem_path]
    end
  end
end
`
  const { box, pool } = await open(t, {
    code: { 'app.rb': code, vendor: { bundle: { ruby: { [abi]: gem('vendored') } } } },
    opt: { ruby: { gems: { [abi]: gem('layered') }, lib: { 'plain.rb': "PLAIN = 'plain'\n" } } }
  })
  const dir = pool.spec.codeDir
  vendor(`${dir}/code`, abi, WEBRICK)
  const own = box.pool({
    ...pool.spec,
    codeDir: `${dir}/code`,
    optDir: `${dir}/opt`,
    handler: 'app.Shop::Orders.process'
  })
  t.same(valueOf(await box.invoke(own, { form: 'a=1&b=x%20y' })), [
    ...['vendored 1.0.0', 'layered 1.0.0', 'plain'],
    { a: '1', b: 'x y' },
    `${home}/gems/${path.basename(WEBRICK[0]!)}`
  ])
})

const LOGS = `
require 'logger'

def handler(event:, context:)
  logger = Logger.new($stdout)
  logger.info('fine')
  logger.warn("careful\\nhere")
  raise ArgumentError, 'end'
end
`

t.test('text logs are Lambda’s lines, and the instance outlives an ordinary error', async (t) => {
  const { box, pool } = await open(t, { 'app.rb': LOGS })
  const requestId = '11111111-1111-4111-8111-111111111111'
  const outcome = await box.invoke(pool, {}, { requestId })
  t.match(valueOf(outcome), { errorType: 'Function<ArgumentError>', errorMessage: 'end' })
  t.equal((await box.invoke(pool)).cold, false)
  const own = box.lines.filter((line) => line.requestId === requestId)
  t.match(
    own.find(({ text }) => text.includes('fine')),
    { level: 'INFO', text: new RegExp(`^I, \\[[^\\]]+ #\\d+\\]  INFO ${requestId} -- : fine$`) }
  )
  t.match(
    own.find(({ text }) => text.includes('careful')),
    { level: 'WARN', text: /careful\nhere$/ }
  )
  t.match(
    own.find(({ level }) => level === 'ERROR')?.text,
    /^Error raised from handler method\n\{\n {2}"errorMessage": "end"/
  )
})

t.test('JSON logs are objects', async (t) => {
  const { box, pool } = await open(t, { 'app.rb': LOGS }, { logFormat: 'JSON', logLevel: 'WARN' })
  await box.invoke(pool)
  const events = await eventually(() => {
    const objects = box.lines.flatMap(({ text }) =>
      text.startsWith('{') ? [JSON.parse(text) as Record<string, unknown>] : []
    )
    return objects.some(({ type }) => type === 'platform.report') ? objects : undefined
  })
  t.notOk(
    events.some(({ message }) => message === 'fine'),
    'below the level'
  )
  t.match(
    events.find(({ message }) => message === 'careful\nhere'),
    { level: 'WARN', timestamp: /Z$/, requestId: /-/ }
  )
})

t.test('an error after which nothing can be trusted ends the instance', async (t) => {
  const { box, pool } = await open(t, { 'app.rb': 'def handler(event:, context:) = no_such_thing\n' })
  for (const time of ['first', 'second']) {
    const outcome = await box.invoke(pool)
    t.match(valueOf(outcome), { errorType: 'Function<NameError>', errorMessage: /no_such_thing/ }, time)
    t.ok(outcome.cold)
  }
})

t.test('children do not hold the channel', async (t) => {
  const code = 'def handler(event:, context:) = `ls /proc/self/fd`.split.map(&:to_i)\n'
  const { box, pool } = await open(t, { 'app.rb': code })
  const fds = valueOf(await box.invoke(pool)) as number[]
  // 3 is ls's own, for the folder that it reads.
  t.same(fds, [0, 1, 2, 3])
})

t.test('identifiers are served by the nearest version', async (t) => {
  const at = (version: string) => ({
    version,
    execPath: `/usr/bin/ruby${version}`,
    prefix: '/usr',
    abi: `${version}`,
    gemPath: '/g'
  })
  const language = rubyLanguage([at('2.7.0'), at('3.1.2'), at('3.3.0')], '/bundled')
  const served = (id: string) => {
    const { interpreter, served } = language.serve(id, 'a.b')!
    return [interpreter.version, served.exact]
  }
  t.same(served('ruby3.2'), ['3.3.0', false])
  t.same(served('ruby3.3'), ['3.3.0', true])
  t.same(served('ruby3.4'), ['3.3.0', false])
  t.equal(rubyLanguage([], '/bundled').serve('ruby3.4', 'a.b'), undefined)
  t.match(language.remedy('ruby3.4'), /install Ruby 3\.4/)
})
