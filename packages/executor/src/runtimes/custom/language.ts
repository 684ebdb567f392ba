import type { Findings, Interpreter, Language, OpenLanguage, PackageView, SourceRule } from '../runtime.ts'
import { inspectBootstrap } from './package-checks.ts'
import { runtimeApiBoot } from './runtime-api.ts'

/** AWS's identifiers for programs that bring their own runtime. */
const IDENTIFIERS = ['provided.al2', 'provided.al2023']
const HANDLER = /^\S{1,128}$/

/** Anything that can be executed and speaks the Runtime API. */
export const openLanguage: OpenLanguage = async (machine) => {
  const interpreter: Interpreter = {
    name: 'custom',
    title: 'custom runtime',
    version: '1',
    runtimeVersion: 'provided:1',
    hasExtensions: true,
    boot: () => runtimeApiBoot({ machine, command: [], mounts: [] })
  }
  const language: Language = {
    name: 'custom',
    identifiers: IDENTIFIERS,
    interpreters: [interpreter],
    // Managed runtimes tell their name here; a custom one must not.
    serve: () => ({ interpreter, served: { exact: true, environment: { AWS_EXECUTION_ENV: undefined } } }),
    remedy: () => 'nothing: every machine that runs Hearth has it',
    defaultHandler: 'function.handler',
    handlerProblem: (handler) =>
      HANDLER.test(handler)
        ? undefined
        : 'A handler has 1 to 128 characters and no white space; a custom runtime finds it in _HANDLER.',
    inspect: (view: PackageView): Promise<Findings> => inspectBootstrap(view, machine.architecture),
    guess: ({ files }) => (files.includes('bootstrap') ? 'function.handler' : undefined),
    sources: [SCRIPT, SHELL_SCRIPT]
  }
  return language
}

const SCRIPT: SourceRule = {
  extension: '',
  recognises: (text) => text.startsWith('#!'),
  pack: () => ({ file: 'bootstrap', executable: true, handler: 'function.handler', notices: [] })
}

const SHELL_SCRIPT: SourceRule = { ...SCRIPT, extension: '.sh' }
