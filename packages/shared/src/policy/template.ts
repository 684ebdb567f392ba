import { ANY, type Glob, ONE, parseGlob, tokenOf } from './glob.ts'
import { type ContextKeys, valuesOf } from './request.ts'

interface Variable {
  /** In lower case. */
  readonly key: string
  readonly fallback: string | undefined
}

/** A text of a policy: characters, wildcards and variables. */
export interface Template {
  readonly parts: readonly (number | Variable)[]
  /** When there is no variable in it. */
  readonly glob: Glob | undefined
}

const VARIABLE = /^\$\{\s*([*?$]|[^\s,${}]+)\s*(?:,\s*'([^']*)'\s*)?\}/

/**
 * `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and `${*}`, `${?}`, `${$}` for the characters themselves.
 *
 * @param hasVariables - False for documents of 2008, in which all that is literal text.
 * @see reference: IAM §1.1
 */
export function parseTemplate(text: string, hasVariables: boolean): Template {
  if (!hasVariables || !text.includes('${')) {
    const glob = parseGlob(text)
    return { parts: glob, glob }
  }
  const parts: (number | Variable)[] = []
  for (let i = 0; i < text.length; ) {
    const found = text[i] === '$' ? VARIABLE.exec(text.slice(i)) : null
    if (found === null) {
      parts.push(tokenOf(text.charCodeAt(i++)))
      continue
    }
    const [whole, key, fallback] = found
    i += whole.length
    if (key === '*' || key === '?' || key === '$') parts.push(key.charCodeAt(0))
    else parts.push({ key: key!.toLowerCase(), fallback })
  }
  return { parts, glob: parts.every(isToken) ? parts : undefined }
}

/**
 * What stands in a variable is text: a `*` in a user's name is no wildcard.
 *
 * @returns undefined when a variable has no value, or several
 */
export function globOf(template: Template, keys: ContextKeys): Glob | undefined {
  if (template.glob !== undefined) return template.glob
  const glob: number[] = []
  for (const part of template.parts) {
    if (isToken(part)) {
      glob.push(part)
      continue
    }
    const values = valuesOf(keys, part.key)
    const value = values.length === 1 ? values[0] : values.length === 0 ? part.fallback : undefined
    if (value === undefined) return undefined
    for (let i = 0; i < value.length; i++) glob.push(value.charCodeAt(i))
  }
  return glob
}

/** The same where wildcards mean nothing. */
export function textOf(template: Template, keys: ContextKeys): string | undefined {
  const glob = globOf(template, keys)
  if (glob === undefined) return undefined
  let text = ''
  for (const token of glob) text += token === ANY ? '*' : token === ONE ? '?' : String.fromCharCode(token)
  return text
}

function isToken(part: number | Variable): part is number {
  return typeof part === 'number'
}
