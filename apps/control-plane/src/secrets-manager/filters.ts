import type { SecretRecord } from '@hearth/store'

interface Filter {
  readonly Key: string
  readonly Values: readonly string[]
}

/**
 * Whether a secret is one of those that are asked for: every filter must fit, by one of its values. A value is the
 * beginning of what it is compared with; `!` before it turns that round.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_search-secret.html
 */
export function matchesFilters(secret: SecretRecord, filters: readonly Filter[]): boolean {
  return filters.every(({ Key, Values }) => Values.some((value) => matches(secret, Key, value)))
}

function matches(secret: SecretRecord, key: string, value: string): boolean {
  if (value.startsWith('!')) return !matches(secret, key, value.slice(1))
  const begins = (texts: readonly string[]) => texts.some((text) => text.startsWith(value))
  switch (key) {
    case 'name':
      return begins([secret.name])
    case 'description':
      return words(secret.description).some((word) => word.startsWith(value.toLowerCase()))
    case 'tag-key':
      return begins(Object.keys(secret.tags))
    case 'tag-value':
      return begins(Object.values(secret.tags))
    case 'all': {
      const all = [secret.name, secret.description, ...Object.entries(secret.tags).flat()].flatMap(words)
      return words(value).every((part) => all.some((word) => word.startsWith(part)))
    }
    default:
      return false
  }
}

function words(text: string): readonly string[] {
  return [text.toLowerCase(), ...text.toLowerCase().split(/[^\p{L}\p{N}]+/u)].filter((word) => word !== '')
}
