import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { bundledRuntimesDir } from '@hearth/executor/internal/runtimes/local'
import { ROOT } from '../../../helpers/hearth.ts'
import type { Column, Scenario } from '../column.ts'

const OWN_NAME: Partial<Record<Scenario, string>> = {
  init_error: 'Scenarios::Scenarios.Init_error::Handler',
  missing_import: 'Needy::Needy.Functions::Handler',
  missing_module: 'Scenarios::Scenarios.NoSuchClass::Handler',
  missing_handler: 'Scenarios::Scenarios.Functions::NoSuchMethod',
  malformed_handler: 'Scenarios::Scenarios.Functions::'
}

export const column: Column = {
  runtime: 'dotnet8',
  host: 'Mono',
  paths: { dotnet: ['none', '/usr/bin/mono'] },
  memoryMiB: 512,
  async make(dir) {
    const source = path.join(ROOT, 'test/fixtures/scenarios/dotnet')
    const core = path.join(bundledRuntimesDir(), 'dotnet/Amazon.Lambda.Core.dll')
    const compile = (out: string, ...args: string[]) =>
      execFileSync('mcs', ['-nologo', '-target:library', `-out:${path.join(dir, out)}`, `-r:${core}`, ...args])
    compile('Scenarios.dll', '-r:System.Core.dll', path.join(source, 'Functions.cs'))
  },
  handler: (scenario) =>
    OWN_NAME[scenario] ?? `Scenarios::Scenarios.Functions::${scenario[0]?.toUpperCase()}${scenario.slice(1)}`,
  unsupported: {
    syntax_error: 'the compiler finds it before there is a package'
  },
  errors: {
    error: { errorType: 'Exception', errorMessage: 'boom', stackTrace: [/^at Scenarios\.Functions\.Error/] },
    custom_error: { errorType: 'CustomError', errorMessage: 'custom boom' },
    unserializable: { errorType: 'NotSupportedException', errorMessage: /cycle/ },
    init_error: { errorType: 'Exception', errorMessage: 'init boom' },
    syntax_error: {},
    missing_import: { errorType: 'LambdaException', errorMessage: /^Could not find the specified handler assembly/ },
    missing_module: {
      errorType: 'LambdaException',
      errorMessage: "Unable to load type 'Scenarios.NoSuchClass' from assembly 'Scenarios'."
    },
    missing_handler: {
      errorType: 'LambdaException',
      errorMessage: "Unable to find method 'NoSuchMethod' in type 'Scenarios.Functions' from assembly 'Scenarios'."
    },
    malformed_handler: { errorType: 'LambdaException', errorMessage: /^Invalid lambda function handler: / }
  }
}
