/** An expression that does not follow the grammar, or asks for what cannot be; the message says what and where. */
export class MathError extends Error {
  override readonly name = 'MathError'
  /** Of the expression, when several are worked out. */
  id: string | undefined
}
