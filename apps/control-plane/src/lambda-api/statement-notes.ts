/** What the compatibility list says of operations on resource policies. */
export const LAYER_STATEMENTS =
  'statements are kept and shown; all callers belong to the one account of the server, so that they gate nothing'
