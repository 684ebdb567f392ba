import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { compileJava } from '../../java-classes.ts'
import type { Column, Scenario } from '../column.ts'

const SOURCES = path.resolve('test/fixtures/scenarios/java')

/** Those that are no method of `scenarios.Functions`. */
const HANDLERS: Partial<Record<Scenario, string>> = {
  init_error: 'scenarios.InitError::handle',
  syntax_error: 'scenarios.Broken::handle',
  missing_import: 'scenarios.MissingImport::handle',
  missing_module: 'scenarios.NoSuchClass::handle',
  malformed_handler: 'scenarios.Functions::'
}

/** Java, with one class for all that is a method. */
export const column: Column = {
  runtime: 'java17',
  memoryMiB: 512,
  async make(dir) {
    compileJava(SOURCES, dir)
    rmSync(path.join(dir, 'no_such_module'), { recursive: true })
    writeFileSync(path.join(dir, 'scenarios/Broken.class'), 'public class Broken {')
  },
  handler: (scenario) =>
    HANDLERS[scenario] ??
    `scenarios.Functions::${scenario.replaceAll(/_(.)/g, (_match, letter: string) => letter.toUpperCase())}`,
  unsupported: {},
  errors: {
    error: {
      errorMessage: 'boom',
      errorType: 'java.lang.RuntimeException',
      stackTrace: [/^scenarios\.Functions\.error\(Functions\.java:\d+\)$/]
    },
    custom_error: {
      errorMessage: 'custom boom',
      errorType: 'scenarios.CustomError',
      stackTrace: [/^scenarios\.Functions\.customError\(Functions\.java:\d+\)$/]
    },
    unserializable: {
      errorMessage: 'An error occurred during JSON serialization of response',
      errorType: 'java.lang.RuntimeException',
      cause: { errorType: 'java.io.UncheckedIOException' }
    },
    init_error: {
      errorMessage: 'Error loading class scenarios.InitError',
      errorType: 'java.lang.ExceptionInInitializerError'
    },
    syntax_error: {
      errorMessage: /^Error loading class scenarios\.Broken: Incompatible magic value/,
      errorType: 'java.lang.ClassFormatError'
    },
    missing_import: {
      errorMessage: 'Error loading class scenarios.MissingImport: no_such_module/Thing',
      errorType: 'java.lang.NoClassDefFoundError'
    },
    missing_module: {
      errorMessage: 'Class not found: scenarios.NoSuchClass',
      errorType: 'java.lang.ClassNotFoundException'
    },
    missing_handler: {
      errorMessage:
        'No public method named missingHandler with appropriate method signature found on class scenarios.Functions',
      errorType: 'java.lang.NoSuchMethodException'
    },
    malformed_handler: {
      errorMessage: "Invalid handler: `scenarios.Functions::'",
      errorType: 'java.lang.IllegalArgumentException'
    }
  }
}
