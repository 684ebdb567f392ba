import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { KeyUses } from '../access/key-uses.ts'

export interface KeyUseNotesOptions {
  readonly uses: KeyUses
  /** Where Bearer keys are used. */
  readonly region: string
  readonly now: () => Date
}

/** Notes of every request whose key was good when it was used, also of one that was refused for another reason. */
export const keyUseNotes = fp<KeyUseNotesOptions>(
  async (app, { uses, region, now }) => {
    app.addHook('onSend', async (request) => {
      const { principal } = request
      if (principal === null) return
      uses.note(principal.keyId, {
        at: now().toISOString(),
        ...(signedScopeOf(request) ?? { service: 'hearth', region })
      })
    })
  },
  { name: 'key-use-notes', dependencies: ['authentication'] }
)

/** What a signature is for; it has been verified by now. */
function signedScopeOf(request: FastifyRequest): { readonly service: string; readonly region: string } | undefined {
  const { authorization } = request.headers
  const credential = authorization ?? decodeURIComponent(/X-Amz-Credential=([^&]*)/.exec(request.url)?.[1] ?? '')
  const [, region, service] = /\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/.exec(credential) ?? []
  return region === undefined || service === undefined ? undefined : { service, region }
}
