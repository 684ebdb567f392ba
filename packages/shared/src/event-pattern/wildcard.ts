import { matchesParts } from '../wildcard-parts.ts'
import { PatternFault } from './json-reader.ts'

/** More stars than this make a rule too dear to match. */
const MOST_STARS = 30

/**
 * `*` is any run of characters, also none; `\*` and `\\` are the characters themselves. Linear in the value's length for
 * each part between stars.
 *
 * @param at - Where the text stands in the pattern
 * @throws PatternFault
 */
export function parseWildcard(text: string, at: number): (value: string) => boolean {
  const parts = ['']
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!
    if (character === '\\') {
      const escaped = text[++i]
      if (escaped !== '*' && escaped !== '\\') {
        // AWS counts the quote before the text.
        throw new PatternFault(`Invalid escape character at pos ${i}`, at)
      }
      parts[parts.length - 1] += escaped
    } else if (character === '*') {
      if (text[i + 1] === '*') throw new PatternFault(`Consecutive wildcard characters at pos ${i + 1}`, at)
      parts.push('')
    } else parts[parts.length - 1] += character
  }
  if (parts.length - 1 > MOST_STARS) {
    throw new PatternFault(
      'Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character',
      at
    )
  }
  return matchesParts(parts)
}
