import { MathError } from './math-error.ts'

export type Token =
  | { readonly kind: 'number'; readonly value: number; readonly at: number }
  | { readonly kind: 'name'; readonly text: string; readonly at: number }
  | { readonly kind: 'text'; readonly text: string; readonly at: number }
  | { readonly kind: 'sign'; readonly text: string; readonly at: number }
  | { readonly kind: 'end'; readonly at: number }

const TOKEN =
  /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|"([^"\\]*)"|'([^'\\]*)'|(>=|<=|==|!=|<>|&&|\|\||[-+*/^()<>,[\]]))/y

/** @throws MathError */
export function tokensOf(expression: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  for (;;) {
    const start = TOKEN.lastIndex
    const match = TOKEN.exec(expression)
    if (match === null) {
      if (expression.slice(start).trim() !== '') throw new MathError(`at character ${start + 1}: not expected here`)
      tokens.push({ kind: 'end', at: expression.length })
      return tokens
    }
    const at = start + match[0].length - match[0].trimStart().length
    const [, number, name, double, single, sign] = match
    if (number !== undefined) tokens.push({ kind: 'number', value: Number(number), at })
    else if (name !== undefined) tokens.push({ kind: 'name', text: name, at })
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign, at })
    else tokens.push({ kind: 'text', text: double ?? single ?? '', at })
  }
}
