import path from 'node:path'
import type { Machine } from '../machine.ts'
import type { Interpreter, Language, OpenLanguage, SourceRule } from '../runtime.ts'
import { nearestVersion } from '../versions.ts'
import { inspectPython } from './package-checks.ts'

/** AWS's identifiers that Hearth serves, oldest first. */
const IDENTIFIERS = ['python3.9', 'python3.10', 'python3.11', 'python3.12', 'python3.13', 'python3.14']
const OLDEST_MINOR = 9
const COMMANDS = ['python3', ...IDENTIFIERS, 'python']
const RUNTIME_DIR = '/var/runtime'

/** `package/module.function`, or dots all the way. */
const HANDLER = /^[^\s./][^\s]*\.[^\s./]+$/

const ABOUT =
  'import sys, os; print(sys.implementation.name, "%d.%d.%d" % sys.version_info[:3], os.path.realpath(sys.executable), sys.base_prefix, sep="\\n")'

interface Python {
  readonly version: string
  readonly execPath: string
  /** Folder that holds its standard library. */
  readonly prefix: string
}

/** CPython 3.9 and newer. */
export const openLanguage: OpenLanguage = async (machine) => {
  const asked = await Promise.all(
    (await machine.candidates('python', COMMANDS)).map((candidate) => ask(machine, candidate))
  )
  return pythonLanguage(
    asked.filter((python) => python !== undefined),
    machine.bundled('python')
  )
}

/** @param pythons - Of two with the same minor version the first counts */
export function pythonLanguage(pythons: readonly Python[], runtimeDir: string): Language {
  const byMinor = new Map<number, Interpreter>()
  for (const python of pythons) {
    const minor = minorOf(python.version)
    if (minor >= OLDEST_MINOR && !byMinor.has(minor)) byMinor.set(minor, pythonInterpreter(python, runtimeDir))
  }
  const wantedBy = (identifier: string): number => minorOf(identifier.replace('python', ''))
  const serving = (identifier: string): Interpreter | undefined => {
    const minor = nearestVersion(wantedBy(identifier), [...byMinor.keys()])
    return minor === undefined ? undefined : byMinor.get(minor)
  }
  return {
    name: 'python',
    identifiers: IDENTIFIERS,
    interpreters: [...byMinor.values()],
    serve(identifier) {
      const interpreter = serving(identifier)
      if (interpreter === undefined) return undefined
      const environment = { PYTHONPATH: RUNTIME_DIR, LC_CTYPE: 'C.UTF-8' }
      return { interpreter, served: { exact: minorOf(interpreter.version) === wantedBy(identifier), environment } }
    },
    remedy: (identifier) => {
      const version = identifier.replace('python', '')
      return `install Python ${version} or newer (apt-get install python3), or name one in HEARTH_RUNTIME_PATHS=python=/path/to/python${version}`
    },
    defaultHandler: 'lambda_function.lambda_handler',
    handlerProblem: (handler) =>
      HANDLER.test(handler)
        ? undefined
        : `A Python handler names a module and a function in it, as in lambda_function.lambda_handler or src/app.handler; ${JSON.stringify(handler)} does not.`,
    inspect: (view, handler, identifier) => inspectPython(view, handler, serving(identifier)?.version),
    guess: ({ files }) => (files.includes('lambda_function.py') ? 'lambda_function.lambda_handler' : undefined),
    sources: [PYTHON_FILE]
  }
}

/** How one Python is started in a sandbox. */
function pythonInterpreter({ version, execPath, prefix }: Python, runtimeDir: string): Interpreter {
  const minor = minorOf(version)
  // What is under /usr is in every sandbox.
  const elsewhere = [...new Set([prefix, path.dirname(path.dirname(execPath))])].filter(
    (folder) => folder !== '/usr' && !folder.startsWith('/usr/')
  )
  return {
    name: `python3.${minor}`,
    title: `Python ${version}`,
    version,
    runtimeVersion: `python:${version}`,
    boot: () => ({
      // -I: nothing of the environment steers it before there is a function; -B: its files are read-only.
      command: [execPath, '-I', '-B', `${RUNTIME_DIR}/bootstrap.py`],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', LC_CTYPE: 'C.UTF-8', TZ: ':UTC' },
      mounts: [
        ...elsewhere.map((folder) => ({ source: folder, target: folder })),
        { source: runtimeDir, target: RUNTIME_DIR }
      ]
    })
  }
}

async function ask(machine: Machine, candidate: string): Promise<Python | undefined> {
  const [name, version = '', execPath = '', prefix = ''] =
    (await machine.ask(candidate, ['-I', '-S', '-c', ABOUT]))?.split('\n') ?? []
  // A shim of a version manager answers for the interpreter behind it.
  return name === 'cpython' && path.isAbsolute(execPath) ? { version, execPath, prefix } : undefined
}

function minorOf(version: string): number {
  return Number(version.split('.')[1])
}

const TOP_LEVEL_FUNCTION = /^(?:async\s+)?def\s+([A-Za-z_]\w*)\s*\(/gm

const PYTHON_FILE: SourceRule = {
  extension: '.py',
  recognises: (text) =>
    /^def\s+\w+\s*\(.*\)\s*(->.*)?:/m.test(text) || /^(from\s+[\w.]+\s+)?import\s+\w[\w., ]*$/m.test(text),
  pack(text) {
    const functions = [...text.matchAll(TOP_LEVEL_FUNCTION)].map((match) => match[1] ?? '')
    const visible = functions.filter((name) => !name.startsWith('_'))
    const found = ['lambda_handler', 'handler'].find((name) => functions.includes(name))
    const name = found ?? (visible.length === 1 ? visible[0] : undefined)
    return {
      file: 'lambda_function.py',
      handler: `lambda_function.${name ?? 'lambda_handler'}`,
      notices:
        name === undefined
          ? [
              'The source has no function that is sure to be the handler: `def lambda_handler(event, context):` is what Lambda looks for.'
            ]
          : []
    }
  }
}
