import { HearthError } from '@hearth/shared'

/** A parameter as the query protocol nests it: a text, a list of `member`s, or members by name. */
export type FormValue = string | readonly FormValue[] | { readonly [name: string]: FormValue }
export type FormMembers = Readonly<Record<string, FormValue>>

/** More are in no request: 50 tags have 100. */
const MAX_PARAMETERS = 2_048
/** Of CloudWatch: each of a thousand metrics has a dozen. */
const MAX_METRIC_PARAMETERS = 20_000
const MAX_DEPTH = 8

type Branch = Map<string, string | Branch>

/**
 * Reads `application/x-www-form-urlencoded`, with `Tags.member.1.Key=a` as a member of the first item of a list. Where a
 * parameter stands twice the first one counts, as the caller's signature covers both.
 *
 * @throws HearthError INVALID_PAYLOAD
 */
export function parseForm(text: string): FormMembers {
  const root: Branch = new Map()
  const parts = text.split('&').filter((part) => part !== '')
  const max = parts.includes('Version=2010-08-01') ? MAX_METRIC_PARAMETERS : MAX_PARAMETERS
  if (parts.length > max) throw malformed(`The request has more than ${max} parameters.`)
  for (const part of parts) {
    const equals = part.indexOf('=')
    const name = decode(equals < 0 ? part : part.slice(0, equals))
    place(root, name.split('.'), decode(equals < 0 ? '' : part.slice(equals + 1)))
  }
  return toMembers(root)
}

function place(root: Branch, path: readonly string[], value: string): void {
  if (path.length > MAX_DEPTH) throw malformed(`The parameter ${path.join('.')} is nested too deeply.`)
  let branch = root
  for (const name of path.slice(0, -1)) {
    let next = branch.get(name)
    if (next === undefined) {
      next = new Map()
      branch.set(name, next)
    }
    if (typeof next === 'string') throw malformed(`The parameter ${path.join('.')} is both a value and a structure.`)
    branch = next
  }
  const last = path.at(-1) ?? ''
  if (branch.get(last) instanceof Map) {
    throw malformed(`The parameter ${path.join('.')} is both a value and a structure.`)
  }
  if (!branch.has(last)) branch.set(last, value)
}

function toValue(value: string | Branch): FormValue {
  if (typeof value === 'string') return value
  const list = value.get('member')
  if (value.size > 1 || !(list instanceof Map)) return toMembers(value)
  const numbers = [...list.keys()]
  if (!numbers.every((number) => /^[1-9]\d{0,5}$/.test(number))) return toMembers(value)
  return numbers
    .map(Number)
    .sort((a, b) => a - b)
    .map((number) => toValue(list.get(String(number)) ?? ''))
}

/** Without a prototype: names come from the caller. */
function toMembers(branch: Branch): FormMembers {
  const members = Object.create(null) as Record<string, FormValue>
  for (const [name, value] of branch) members[name] = toValue(value)
  return members
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw malformed('The request has a parameter that is not percent-encoded UTF-8.')
  }
}

function malformed(message: string): HearthError {
  return new HearthError('INVALID_PAYLOAD', message)
}
