import { cpSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from '../../../helpers/hearth.ts'
import type { Column, Scenario } from '../column.ts'

const OWN_MODULE: Partial<Record<Scenario, string>> = {
  init_error: 'init_error.handler',
  syntax_error: 'syntax_error.handler',
  missing_import: 'missing_import.handler',
  missing_module: 'no_such_file.handler',
  missing_handler: 'scenarios.no_such_function',
  malformed_handler: 'scenarios',
  logging: 'scenarios.log',
  subprocess: 'scenarios.child'
}

export const column: Column = {
  runtime: 'python3.11',
  memoryMiB: 256,
  async make(dir) {
    cpSync(path.join(ROOT, 'test/fixtures/scenarios/python'), dir, { recursive: true })
  },
  handler: (scenario) => OWN_MODULE[scenario] ?? `scenarios.${scenario}`,
  unsupported: {},
  errors: {
    error: {
      errorMessage: 'boom',
      errorType: 'Exception',
      requestId: /^[0-9a-f-]{36}$/,
      stackTrace: [/^ {2}File "\/var\/task\/scenarios\.py", line \d+, in error\n {4}raise Exception\("boom"\)\n$/]
    },
    custom_error: { errorMessage: 'custom boom', errorType: 'CustomError' },
    unserializable: {
      errorType: 'Runtime.MarshalError',
      errorMessage: 'Unable to marshal response: Object of type set is not JSON serializable'
    },
    init_error: {
      errorMessage: 'init boom',
      errorType: 'Exception',
      requestId: '',
      stackTrace: [/^ {2}File "\/var\/task\/init_error\.py", line 1, in <module>\n/]
    },
    syntax_error: {
      errorType: 'Runtime.UserCodeSyntaxError',
      errorMessage: /^Syntax error in module 'syntax_error': expected ':' \(syntax_error\.py, line 1\)$/,
      stackTrace: [/^ {2}File "\/var\/task\/syntax_error\.py" Line 1\n {4}def handler/]
    },
    missing_import: {
      errorType: 'Runtime.ImportModuleError',
      errorMessage: "Unable to import module 'missing_import': No module named 'no_such_module'"
    },
    missing_module: {
      errorType: 'Runtime.ImportModuleError',
      errorMessage: "Unable to import module 'no_such_file': No module named 'no_such_file'"
    },
    missing_handler: {
      errorType: 'Runtime.HandlerNotFound',
      errorMessage: "Handler 'no_such_function' missing on module 'scenarios'"
    },
    malformed_handler: {
      errorType: 'Runtime.MalformedHandlerName',
      errorMessage: "Bad handler 'scenarios': not enough values to unpack (expected 2, got 1)"
    }
  }
}
