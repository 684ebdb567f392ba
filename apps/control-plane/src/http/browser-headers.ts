import fp from 'fastify-plugin'

/**
 * For browsers, which come to the description of the API and to whatever else is typed into them: nothing here is to be
 * run, framed, guessed at, or told to other sites. There is no CORS: pages of other origins have no business with a
 * control plane, and so read nothing of it.
 */
export const browserHeaders = fp(
  async (app) => {
    app.addHook('onSend', async (_request, reply) => {
      void reply
        .header('x-content-type-options', 'nosniff')
        .header('x-frame-options', 'DENY')
        .header('referrer-policy', 'no-referrer')
        .header('cross-origin-resource-policy', 'same-origin')
      if (!reply.hasHeader('content-security-policy')) {
        void reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
      }
    })
  },
  { name: 'browser-headers' }
)

/** What the page at /docs needs. */
export const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
