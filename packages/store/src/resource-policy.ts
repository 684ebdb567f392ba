/** A statement as IAM writes it. */
export type PolicyStatement = Readonly<Record<string, unknown>> & { readonly Sid: string }

/** Who may do what with a function or a layer version. */
export interface ResourcePolicy {
  /** Another one after each change. */
  readonly revisionId: string
  /** In the order in which they were added; never none. */
  readonly statements: readonly PolicyStatement[]
}
