import type { InstallJob, TypeScriptEntry } from './job.ts'
import type { PackageFiles } from './types.ts'

/** What a package needs before it can run. */
export interface BuildPlan {
  readonly install: InstallPlan | undefined
  readonly typescript: TypeScriptEntry | undefined
  /** A handler that fits, for a function whose owner named none. */
  readonly handler: string | undefined
}

export interface InstallPlan {
  readonly tool: InstallJob['tool']
  /** Files that decide what is installed; undefined: the whole package may. */
  readonly inputs: readonly string[] | undefined
}

/** What looking at a package for builds comes to. */
export interface Assessment {
  /** Undefined: it can run as it is. */
  readonly plan: BuildPlan | undefined
  /** Why a build that may be wanted can't be made, with what to do. */
  readonly obstacle: string | undefined
  /** What the owner should know of a build that can be made. */
  readonly notices?: readonly string[]
}

const MANIFEST_BYTES = 16 * 1_048_576
const LOCKS = ['npm-shrinkwrap.json', 'package-lock.json']
const TYPESCRIPT = ['.ts', '.mts', '.cts', '.tsx']
const JAVASCRIPT = ['', '.js', '.mjs', '.cjs']
/** Where the handler of a TypeScript project is looked for when nobody says. */
const ENTRIES = ['index', 'src/index', 'handler', 'src/handler', 'app', 'src/app', 'main', 'src/main']
/** Dependencies that lie in the package itself: then all of it decides what is installed. */
const LOCAL_NODE = /"link"\s*:\s*true|"file:|"workspaces"/
const LOCAL_PYTHON =
  /^\s*(-e|--editable|-r|--requirement|-c|--constraint|-f|--find-links|\.|\/)|file:|^[^#]*\.(whl|zip|tar\.gz)/m
const LOCAL_RUBY = /\bpath\b|\bgemspec\b|\bgit\b|require|eval|load|File|IO|Dir/

/**
 * @param language - `node`, `python`, `ruby` or any other
 * @param handler - Undefined when its owner named none
 */
export async function assess(language: string, handler: string | undefined, code: PackageFiles): Promise<Assessment> {
  if (language === 'node') return assessNode(handler, code)
  const install =
    language === 'python' ? await pythonInstall(code) : language === 'ruby' ? await rubyInstall(code) : undefined
  const plan = install === undefined ? undefined : { install, typescript: undefined, handler: undefined }
  const hasGemfileOnly = language === 'ruby' && code.files.includes('Gemfile') && !code.files.includes('Gemfile.lock')
  const loose = install?.tool === 'pip' ? unpinned((await requirements(code)).toString()) : []
  return {
    plan,
    notices: loose.length === 0 ? [] : [looseNotice(loose)],
    obstacle: hasGemfileOnly
      ? 'The package has a Gemfile and no Gemfile.lock: run `bundle lock` and send both.'
      : undefined
  }
}

/** The language that a package's build files speak of, when nothing else tells it. */
export function languageOfBuildFiles({ files }: Pick<PackageFiles, 'files'>): 'node' | 'python' | 'ruby' | undefined {
  if (files.includes('package.json') || files.includes('tsconfig.json')) return 'node'
  if (ENTRIES.some((entry) => TYPESCRIPT.some((extension) => files.includes(entry + extension)))) return 'node'
  if (files.includes('requirements.txt')) return 'python'
  return files.includes('Gemfile') ? 'ruby' : undefined
}

async function assessNode(handler: string | undefined, code: PackageFiles): Promise<Assessment> {
  const { files } = code
  const manifest = await readManifest(code)
  const lock = LOCKS.find((name) => files.includes(name))
  const isInstalled = files.some((name) => name.startsWith('node_modules/'))
  const typescript = typescriptEntry(handler, files, manifest)
  let install: InstallPlan | undefined
  let obstacle: string | undefined
  if (!isInstalled && manifest.hasDependencies) {
    if (lock !== undefined && files.includes('package.json')) install = await nodeInstall(lock, code)
    else {
      obstacle =
        'package.json names dependencies, and there is neither a package-lock.json nor a node_modules folder: run `npm install` and send package-lock.json too, so that every deploy installs the same.'
    }
  }
  if (install === undefined && typescript === undefined) return { plan: undefined, obstacle }
  const { entry } = typescript ?? {}
  return {
    plan: {
      install,
      typescript,
      handler: entry === undefined ? undefined : `${entry.slice(0, entry.lastIndexOf('.'))}.handler`
    },
    obstacle
  }
}

interface Manifest {
  readonly exists: boolean
  readonly isModule: boolean
  readonly hasDependencies: boolean
}

async function readManifest(code: PackageFiles): Promise<Manifest> {
  if (!code.files.includes('package.json')) return { exists: false, isModule: false, hasDependencies: false }
  let manifest: Record<string, unknown> = {}
  try {
    const parsed: unknown = JSON.parse((await code.head('package.json', MANIFEST_BYTES)).toString('utf8'))
    if (typeof parsed === 'object' && parsed !== null) manifest = parsed as Record<string, unknown>
  } catch {
    // npm says it better, if it comes to that.
  }
  const has = (name: string) => Object.keys(manifest[name] ?? {}).length > 0
  return {
    exists: true,
    isModule: manifest['type'] === 'module',
    hasDependencies: ['dependencies', 'optionalDependencies', 'workspaces'].some(has)
  }
}

async function nodeInstall(lock: string, code: PackageFiles): Promise<InstallPlan> {
  const inputs = ['package.json', lock, ...['.npmrc'].filter((name) => code.files.includes(name))]
  return { tool: 'npm', inputs: (await mentions(code, ['package.json', lock], LOCAL_NODE)) ? undefined : inputs }
}

async function pythonInstall(code: PackageFiles): Promise<InstallPlan | undefined> {
  if (!code.files.includes('requirements.txt')) return undefined
  // Installed with --target, every distribution leaves such a folder.
  if (code.files.some((name) => /^[^/]+\.(dist|egg)-info\//.test(name))) return undefined
  const inputs = ['requirements.txt']
  if (!/^\s*[^#\s]/m.test((await requirements(code)).toString('utf8'))) return undefined
  return { tool: 'pip', inputs: (await mentions(code, inputs, LOCAL_PYTHON)) ? undefined : inputs }
}

function requirements(code: PackageFiles): Promise<Buffer> {
  return code.head('requirements.txt', MANIFEST_BYTES)
}

/** Requirements that name no one version: what is installed for them depends on when that is done. */
function unpinned(text: string): string[] {
  return text
    .replaceAll(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*/, '').trim())
    .filter((line) => line !== '' && !/^[-./]/.test(line) && !/ @ |:\/\//.test(line))
    .filter((line) => !/===?\s*[^\s,;*]+(\s*[;\s]|$)/.test(line))
    .map((line) => /^[\w.-]+/.exec(line)?.[0] ?? line.slice(0, 64))
}

function looseNotice(names: readonly string[]): string {
  const some = names.slice(0, MOST_NAMED).join(', ')
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : ''
  return `requirements.txt names no single version of ${some}${more}: another deploy may install others. Pin them with == (pip freeze).`
}

/** Of requirements in one notice. */
const MOST_NAMED = 10

async function rubyInstall(code: PackageFiles): Promise<InstallPlan | undefined> {
  const inputs = ['Gemfile', 'Gemfile.lock']
  if (!inputs.every((name) => code.files.includes(name))) return undefined
  if (code.files.some((name) => name.startsWith('vendor/bundle/'))) return undefined
  return { tool: 'bundler', inputs: (await mentions(code, inputs.slice(0, 1), LOCAL_RUBY)) ? undefined : inputs }
}

/** A file that is a link counts as one that does: what it names may be anywhere in the package. */
async function mentions(code: PackageFiles, names: readonly string[], pattern: RegExp): Promise<boolean> {
  for (const name of names) {
    const text = (await code.head(name, MANIFEST_BYTES)).toString('utf8')
    if (text === '' || pattern.test(text)) return true
  }
  return false
}

function typescriptEntry(
  handler: string | undefined,
  files: readonly string[],
  manifest: Manifest
): TypeScriptEntry | undefined {
  const present = new Set(files)
  const modules = handler === undefined ? ENTRIES : [moduleOf(handler)]
  // JavaScript that is there was made by its owner's own build.
  if (modules.some((module) => JAVASCRIPT.some((extension) => present.has(module + extension)))) return undefined
  for (const module of modules) {
    const extension = TYPESCRIPT.find((candidate) => present.has(module + candidate))
    if (extension === undefined) continue
    const isEsm = extension === '.mts' || (extension !== '.cts' && (manifest.isModule || !manifest.exists))
    return { entry: module + extension, format: isEsm ? 'esm' : 'cjs' }
  }
  return undefined
}

/** `src/app.handler` → `src/app` */
function moduleOf(handler: string): string {
  const dot = handler.indexOf('.', handler.lastIndexOf('/') + 1)
  return (dot < 0 ? handler : handler.slice(0, dot)).replace(/^(\.\/)+/, '')
}
