import { FilterFault, refusingFaults } from './fault.ts'
import { compileFieldFilter } from './field-filter.ts'
import { compileJsonFilter } from './json-filter.ts'
import { compileTermFilter } from './term-filter.ts'
import type { LogFilter } from './types.ts'

const MOST_CHARACTERS = 1_024

/**
 * Reads a filter pattern: terms, `{ … }` for JSON, `[ … ]` for fields between blanks. Matching takes time in proportion
 * to the message, whatever the pattern.
 *
 * @param pattern - At most 1,024 characters; without any but blanks it matches everything
 * @throws HearthError INVALID_LOG_FILTER (InvalidParameterException) with the place of the mistake
 * @see reference: CloudWatch Logs §2.4
 */
export function compileLogFilter(pattern: string): LogFilter {
  return refusingFaults(() => {
    if (pattern.length > MOST_CHARACTERS) {
      throw new FilterFault(`Invalid filter pattern: it has more than ${MOST_CHARACTERS} characters`)
    }
    const text = pattern.trim()
    if (text.startsWith('{')) return compileJsonFilter(text)
    return text.startsWith('[') ? compileFieldFilter(text) : compileTermFilter(text)
  })
}
