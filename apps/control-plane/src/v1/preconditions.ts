import type { IncomingHttpHeaders } from 'node:http'
import { HearthError } from '@hearth/shared'
import type { Precondition } from '../functions/function-record.ts'

/** `If-Match` and `If-None-Match: *` of a write, as a check that runs under the write lock. Entity tags are revision ids. */
export function preconditionOf(headers: IncomingHttpHeaders): Precondition {
  const ifMatch = headers['if-match']
  const ifNoneMatch = headers['if-none-match']
  return (current) => {
    if (ifNoneMatch?.trim() === '*' && current !== undefined) {
      throw new HearthError('REVISION_MISMATCH', `If-None-Match: * was sent and ${current.name} exists.`)
    }
    if (ifMatch === undefined) return
    if (current === undefined || !matches(ifMatch, current.revisionId)) {
      throw new HearthError(
        'REVISION_MISMATCH',
        'If-Match names another revision than the current one. Read the function again.'
      )
    }
  }
}

/** Whether one of the entity tags in a header is the revision's. */
export function matches(header: string, revisionId: string): boolean {
  return header.split(',').some((tag) => {
    const text = tag.trim()
    return text === '*' || text.replace(/^W\//, '') === `"${revisionId}"`
  })
}
