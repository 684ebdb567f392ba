import type { FunctionRecord } from '@hearth/shared'
import type { FunctionOptionsRepository, RecursiveLoop, RuntimeUpdate } from '@hearth/store'
import type { CodeSigning } from './code-signing.ts'
import type { FunctionService } from './function-service.ts'

/** What a function is told beside its configuration; it is no part of a revision, on AWS neither. */
export interface FunctionOptions {
  /** @throws HearthError FUNCTION_NOT_FOUND */
  recursiveLoop(name: string): RecursiveLoop
  /** @throws HearthError FUNCTION_NOT_FOUND */
  setRecursiveLoop(name: string, value: RecursiveLoop): void
  /** @throws HearthError FUNCTION_NOT_FOUND */
  runtimeUpdate(name: string, qualifier: string | undefined): RuntimeUpdateOf
  /** @throws HearthError FUNCTION_NOT_FOUND */
  setRuntimeUpdate(name: string, qualifier: string | undefined, value: RuntimeUpdate): RuntimeUpdateOf
  /** ARN of its code signing config, if any. @throws HearthError FUNCTION_NOT_FOUND */
  codeSigning(name: string): string | undefined
  /** @param arn - Undefined takes it away. @throws HearthError FUNCTION_NOT_FOUND, CODE_SIGNING_CONFIG_NOT_FOUND */
  setCodeSigning(name: string, arn: string | undefined): void
}

interface RuntimeUpdateOf {
  readonly record: FunctionRecord
  readonly updateOn: RuntimeUpdate
}

export function createFunctionOptions(
  service: Pick<FunctionService, 'get'>,
  options: FunctionOptionsRepository,
  signing: Pick<CodeSigning, 'arnOf' | 'attach' | 'detach'>
): FunctionOptions {
  return {
    recursiveLoop(name) {
      service.get(name)
      return options.recursiveLoop(name) ?? 'Terminate'
    },

    setRecursiveLoop(name, value) {
      options.exclusively(() => {
        service.get(name)
        options.setRecursiveLoop(name, value)
      })
    },

    runtimeUpdate(name, qualifier) {
      const record = service.get(name, qualifier)
      return { record, updateOn: options.runtimeUpdate(name, record.version) ?? 'Auto' }
    },

    setRuntimeUpdate(name, qualifier, updateOn) {
      return options.exclusively(() => {
        const record = service.get(name, qualifier)
        options.setRuntimeUpdate(name, record.version, updateOn)
        return { record, updateOn }
      })
    },

    codeSigning(name) {
      service.get(name)
      return signing.arnOf(name)
    },

    setCodeSigning(name, arn) {
      options.exclusively(() => {
        service.get(name)
        if (arn === undefined) signing.detach(name)
        else signing.attach(name, arn)
      })
    }
  }
}
