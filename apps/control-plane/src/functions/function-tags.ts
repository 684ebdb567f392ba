import { randomUUID } from 'node:crypto'
import { type ArnScope, type FunctionRecord, functionArn, HearthError } from '@hearth/shared'
import type { FunctionsRepository } from '@hearth/store'
import { checkTags } from './function-settings.ts'

export type Tags = FunctionRecord['tags']

export interface FunctionTags {
  /** @throws HearthError FUNCTION_NOT_FOUND */
  get(name: string): Tags
  /**
   * A new revision, but no update that one would wait for: the code and how it runs stay as they are.
   *
   * @throws HearthError FUNCTION_NOT_FOUND, INVALID_REQUEST
   */
  change(name: string, change: (tags: Tags) => Tags): void
}

/** Tags belong to a function as a whole: they are kept with its unpublished version. */
export function createFunctionTags(functions: FunctionsRepository, scope: ArnScope): FunctionTags {
  const notFound = (name: string): HearthError =>
    new HearthError('FUNCTION_NOT_FOUND', `Function not found: ${functionArn(scope, name)}`)
  return {
    get(name) {
      const record = functions.find(name)
      if (record === undefined) throw notFound(name)
      return record.tags
    },

    change(name, change) {
      functions.update(name, (current) => {
        if (current === undefined) throw notFound(name)
        const tags = change(current.tags)
        checkTags(tags)
        return { ...current, tags, revisionId: randomUUID() }
      })
    }
  }
}

export function addTags(tags: Tags, more: Tags): Tags {
  return { ...tags, ...more }
}

export function dropTags(tags: Tags, keys: readonly string[]): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key)))
}
