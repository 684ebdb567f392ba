import { cpSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from '../../../helpers/hearth.ts'
import type { Column, Scenario } from '../column.ts'

const OWN_MODULE: Partial<Record<Scenario, string>> = {
  init_error: 'init_error.handler',
  syntax_error: 'syntax_error.handler',
  missing_import: 'missing_import.handler',
  missing_module: 'no_such_file.handler',
  missing_handler: 'scenarios.noSuchFunction',
  malformed_handler: 'scenarios'
}

export const column: Column = {
  runtime: `nodejs${process.versions.node.split('.')[0]}.x`,
  memoryMiB: 256,
  async make(dir) {
    cpSync(path.join(ROOT, 'test/fixtures/scenarios/node'), dir, { recursive: true })
  },
  handler: (scenario) => OWN_MODULE[scenario] ?? `scenarios.${scenario}`,
  unsupported: {},
  errors: {
    error: { errorType: 'Error', errorMessage: 'boom', trace: ['Error: boom', /scenarios\.mjs:\d+/] },
    custom_error: { errorType: 'CustomError', errorMessage: 'custom boom' },
    unserializable: { errorMessage: 'Unable to stringify response body' },
    init_error: { errorType: 'Error', errorMessage: 'init boom' },
    syntax_error: { errorType: 'Runtime.UserCodeSyntaxError', errorMessage: /^SyntaxError: / },
    missing_import: { errorMessage: /no_such_module/ },
    missing_module: {
      errorType: 'Runtime.ImportModuleError',
      errorMessage: /^Error: Cannot find module 'no_such_file'/
    },
    missing_handler: {
      errorType: 'Runtime.HandlerNotFound',
      errorMessage: 'scenarios.noSuchFunction is undefined or not exported'
    },
    malformed_handler: { errorType: 'Runtime.MalformedHandlerName', errorMessage: 'Bad handler' }
  }
}
