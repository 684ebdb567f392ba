/** What the compatibility list says of operations on resource policies. */
export const FUNCTION_STATEMENTS = 'statements are kept and shown; calls are not decided by them yet'
export const LAYER_STATEMENTS =
  'statements are kept and shown; all callers belong to the one account of the server, so that they gate nothing'
