import { cpSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from '../../../helpers/hearth.ts'
import type { Column, Scenario } from '../column.ts'

const OWN_NAME: Partial<Record<Scenario, string>> = {
  init_error: 'init_error.handler',
  syntax_error: 'syntax_error.handler',
  missing_import: 'missing_import.handler',
  missing_module: 'no_such_file.handler',
  missing_handler: 'scenarios.no_such_method',
  malformed_handler: 'scenarios',
  exit: 'scenarios.exit_7'
}

export const column: Column = {
  runtime: 'ruby3.2',
  memoryMiB: 256,
  async make(dir) {
    cpSync(path.join(ROOT, 'test/fixtures/scenarios/ruby'), dir, { recursive: true })
  },
  handler: (scenario) => OWN_NAME[scenario] ?? `scenarios.${scenario}`,
  unsupported: {},
  errors: {
    error: {
      errorMessage: 'boom',
      errorType: 'Function<RuntimeError>',
      stackTrace: [/^\/var\/task\/scenarios\.rb:\d+:in [`'](Object#)?error'$/]
    },
    custom_error: { errorMessage: 'custom boom', errorType: 'Function<CustomError>' },
    unserializable: { errorType: 'Function<JSON::GeneratorError>', errorMessage: /NaN not allowed in JSON/ },
    init_error: {
      errorMessage: 'init boom',
      errorType: 'Init<RuntimeError>',
      stackTrace: [/^\/var\/task\/init_error\.rb:1:in [`']<top \(required\)>'/]
    },
    syntax_error: { errorType: 'Init<SyntaxError>', errorMessage: /syntax_error\.rb:\d/ },
    missing_import: { errorType: 'Init<LoadError>', errorMessage: 'cannot load such file -- no_such_module' },
    missing_module: { errorType: 'Init<LoadError>', errorMessage: 'cannot load such file -- no_such_file' },
    missing_handler: {
      errorType: 'Function<NoMethodError>',
      errorMessage: /undefined method [`']no_such_method'/
    },
    malformed_handler: { errorType: 'Init<ArgumentError>', errorMessage: /^Invalid handler scenarios, must be of form/ }
  }
}
