import path from 'node:path'
import type { Machine } from '../machine.ts'
import type { Findings, Interpreter, Language, OpenLanguage, PackageView, SourceRule } from '../runtime.ts'
import { nearestVersion } from '../versions.ts'
import { wrappedFolderAdvice } from '../wrapped-folder.ts'

/** AWS's identifiers that Hearth serves, oldest first. */
const IDENTIFIERS = ['ruby3.2', 'ruby3.3', 'ruby3.4']
const COMMANDS = ['ruby', 'ruby3.4', 'ruby3.3', 'ruby3.2', 'ruby3.1', 'ruby3.0']
/** Keyword arguments work as handlers expect from here on. As numbers that compare: 3.1 is 301. */
const OLDEST = 300
const RUNTIME_DIR = '/var/runtime'

const HANDLER = /^[^\s.]+(\.[A-Z][\w:]*)?\.[^\s.]+$/

const ABOUT =
  'require "rbconfig"; c = RbConfig::CONFIG; puts RUBY_ENGINE, RUBY_VERSION, RbConfig.ruby, c["prefix"], c["ruby_version"], Gem.default_path.join(":")'

interface Ruby {
  readonly version: string
  readonly execPath: string
  readonly prefix: string
  /** Of compiled gems, e.g. `3.1.0`. */
  readonly abi: string
  /** Where gems that came with it lie. */
  readonly gemPath: string
}

/** CRuby 3.0 and newer. */
export const openLanguage: OpenLanguage = async (machine) => {
  const asked = await Promise.all((await machine.candidates('ruby', COMMANDS)).map((file) => ask(machine, file)))
  return rubyLanguage(
    asked.filter((ruby) => ruby !== undefined),
    machine.bundled('ruby')
  )
}

/** @param rubies - Of two with the same minor version the first counts */
export function rubyLanguage(rubies: readonly Ruby[], runtimeDir: string): Language {
  const byVersion = new Map<number, { readonly ruby: Ruby; readonly interpreter: Interpreter }>()
  for (const ruby of rubies) {
    const version = comparable(ruby.version)
    if (version < OLDEST || byVersion.has(version)) continue
    byVersion.set(version, { ruby, interpreter: rubyInterpreter(ruby, runtimeDir) })
  }
  return {
    name: 'ruby',
    identifiers: IDENTIFIERS,
    interpreters: [...byVersion.values()].map(({ interpreter }) => interpreter),
    serve(identifier) {
      const wanted = comparable(identifier.replace('ruby', ''))
      const version = nearestVersion(wanted, [...byVersion.keys()])
      const found = version === undefined ? undefined : byVersion.get(version)
      if (found === undefined) return undefined
      return {
        interpreter: found.interpreter,
        served: { exact: version === wanted, environment: environment(found.ruby, identifier.replace('ruby', '')) }
      }
    },
    remedy: (identifier) =>
      `install ${identifier.replace('ruby', 'Ruby ')} or newer (apt-get install ruby), or name one in HEARTH_RUNTIME_PATHS=ruby=/path/to/ruby`,
    defaultHandler: 'lambda_function.lambda_handler',
    handlerProblem: (handler) =>
      HANDLER.test(handler)
        ? undefined
        : `A Ruby handler names a file and a method, as in lambda_function.lambda_handler or app.Orders::Handler.process; ${JSON.stringify(handler)} does not.`,
    inspect: async (view, handler) => inspect(view, handler),
    guess: ({ files }) => (files.includes('lambda_function.rb') ? 'lambda_function.lambda_handler' : undefined),
    sources: [RUBY_FILE]
  }
}

function rubyInterpreter({ version, execPath, prefix }: Ruby, runtimeDir: string): Interpreter {
  // What is under /usr is in every sandbox.
  const elsewhere = [...new Set([prefix, path.dirname(path.dirname(execPath))])].filter(
    (folder) => folder !== '/usr' && !folder.startsWith('/usr/')
  )
  return {
    name: `ruby${version.split('.').slice(0, 2).join('.')}`,
    title: `Ruby ${version}`,
    version,
    runtimeVersion: `ruby:${version}`,
    boot: () => ({
      command: [execPath, `${RUNTIME_DIR}/bootstrap.rb`],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', TZ: ':UTC', HOME: '/tmp' },
      mounts: [
        ...elsewhere.map((folder) => ({ source: folder, target: folder })),
        { source: runtimeDir, target: RUNTIME_DIR }
      ]
    })
  }
}

/** As on Lambda, then layers made for the version that was asked for, and then the gems that this Ruby brings itself. */
function environment({ abi, gemPath }: Ruby, wanted: string): Record<string, string> {
  const layers = [...new Set([abi, `${wanted}.0`])].map((version) => `/opt/ruby/gems/${version}`).join(':')
  return {
    GEM_HOME: `/var/task/vendor/bundle/ruby/${abi}`,
    GEM_PATH: `/var/task/vendor/bundle/ruby/${abi}:${layers}:${gemPath}`,
    RUBYLIB: '/var/task:/var/runtime/lib:/opt/ruby/lib'
  }
}

async function ask(machine: Machine, candidate: string): Promise<Ruby | undefined> {
  const lines = (await machine.ask(candidate, ['-e', ABOUT]))?.split('\n') ?? []
  const [engine, version = '', execPath = '', prefix = '', abi = '', gemPath = ''] = lines
  if (engine !== 'ruby' || !path.isAbsolute(execPath)) return undefined
  // A home folder's gems are the server's own, not the functions'.
  const shared = gemPath.split(':').filter((folder) => !folder.includes('/.'))
  return { version, execPath, prefix, abi, gemPath: shared.join(':') }
}

/** 3.1.2 is 301. */
function comparable(version: string): number {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major * 100 + minor
}

function inspect({ files, opt }: PackageView, handler: string): Findings {
  const file = `${handler.slice(0, handler.indexOf('.'))}.rb`
  if (files.includes(file) || opt?.files.includes(`ruby/lib/${file}`) === true) return {}
  return {
    notices: [`The package has no ${file}, which the handler ${handler} needs.${wrappedFolderAdvice(files, handler)}`]
  }
}

const TOP_LEVEL_METHOD = /^def\s+(?:self\.)?([A-Za-z_]\w*)/gm

const RUBY_FILE: SourceRule = {
  extension: '.rb',
  recognises: (text) => /^def\s+\w+\s*\(?.*\bevent:/m.test(text) && /^end\b/m.test(text),
  pack(text) {
    const methods = [...text.matchAll(TOP_LEVEL_METHOD)].map((match) => match[1] ?? '')
    const found = ['lambda_handler', 'handler'].find((name) => methods.includes(name))
    const name = found ?? (methods.length === 1 ? methods[0] : undefined)
    return {
      file: 'lambda_function.rb',
      handler: `lambda_function.${name ?? 'lambda_handler'}`,
      notices:
        name === undefined
          ? [
              'The source has no method that is sure to be the handler: `def lambda_handler(event:, context:)` is what Lambda looks for.'
            ]
          : []
    }
  }
}
