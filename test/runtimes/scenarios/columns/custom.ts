import { cpSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from '../../../helpers/hearth.ts'
import type { Column } from '../column.ts'

const UP_TO_IT = 'what a handler name means, and how errors are worded, is up to a custom runtime'

export const column: Column = {
  runtime: 'provided.al2023',
  memoryMiB: 256,
  async make(dir) {
    cpSync(path.join(ROOT, 'test/fixtures/scenarios/custom'), dir, { recursive: true })
  },
  handler: (scenario) => scenario,
  unsupported: {
    unserializable: UP_TO_IT,
    syntax_error: UP_TO_IT,
    missing_import: UP_TO_IT,
    missing_module: UP_TO_IT,
    malformed_handler: UP_TO_IT,
    multi_line: 'a custom runtime has no logger: each line is an event'
  },
  errors: {
    error: { errorType: 'Function.Error', errorMessage: 'boom' },
    custom_error: { errorType: 'Function.CustomError', errorMessage: 'custom boom' },
    unserializable: {},
    init_error: { errorType: 'Function.Boom', errorMessage: 'init boom' },
    syntax_error: {},
    missing_import: {},
    missing_module: {},
    missing_handler: { errorType: 'Function.NoSuchHandler', errorMessage: 'no handler missing_handler' },
    malformed_handler: {}
  }
}
