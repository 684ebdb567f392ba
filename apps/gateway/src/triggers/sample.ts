/** What a test event has; what is not said is made up. */
export interface Sample {
  readonly source: string
  readonly detailType: string
  readonly detail: object
}
