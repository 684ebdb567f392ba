import { ANY, matchesGlob } from './glob.ts'
import type { ContextKeys } from './request.ts'
import { globOf, parseTemplate, type Template } from './template.ts'

const FIELDS = 6
const COLON = 58

/** ARNs with wildcards: five fields that no wildcard reaches over, and the rest. */
export interface ArnPattern {
  /** Six; none for `*`, which is everything. */
  readonly fields: readonly Field[]
}

interface Field extends Template {
  /** When there is neither a wildcard nor a variable in it: most are like that. */
  readonly literal: string | undefined
}

/**
 * @returns undefined when this is neither `*` nor of six fields
 * @see reference: IAM §1.2
 */
export function parseArnPattern(text: string, hasVariables: boolean): ArnPattern | undefined {
  const { parts } = parseTemplate(text, hasVariables)
  if (parts.length === 1 && parts[0] === ANY) return { fields: [] }
  const fields: (typeof parts)[number][][] = [[]]
  for (const part of parts) {
    if (part === COLON && fields.length < FIELDS) fields.push([])
    else fields.at(-1)!.push(part)
  }
  if (fields.length < FIELDS) return undefined
  return {
    fields: fields.map((parts) => {
      const glob = parts.every((part) => typeof part === 'number') ? parts : undefined
      const isLiteral = glob?.every((token) => token >= 0) === true
      return { parts, glob, literal: isLiteral ? String.fromCharCode(...glob) : undefined }
    })
  }
}

/** @param arn - Of the request; what is no ARN matches `*` alone. */
export function matchesArn(pattern: ArnPattern, arn: string, keys: ContextKeys): boolean {
  if (pattern.fields.length === 0) return true
  let from = 0
  for (let i = 0; i < FIELDS; i++) {
    const to = i === FIELDS - 1 ? arn.length : arn.indexOf(':', from)
    if (to === -1) return false
    if (!matchesField(pattern.fields[i]!, arn, from, to, keys)) return false
    from = to + 1
  }
  return true
}

function matchesField(field: Field, arn: string, from: number, to: number, keys: ContextKeys): boolean {
  const { literal } = field
  if (literal !== undefined) return literal.length === to - from && arn.startsWith(literal, from)
  const glob = globOf(field, keys)
  return glob !== undefined && matchesGlob(glob, arn, from, to)
}
