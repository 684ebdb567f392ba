import type { AddressInfo } from 'node:net'
import { LambdaClient } from '@aws-sdk/client-lambda'
import type { Test } from 'tap'
import { REGION, type startControlPlane } from './support.ts'

type Plane = Pick<Awaited<ReturnType<typeof startControlPlane>>, 'app' | 'accessKeyId' | 'secretAccessKey'>

/**
 * Lets a control plane listen on a free port, and makes AWS's own client for it, with the credentials of data/credentials.
 *
 * @param retries - What the client does by itself with an answer that it may repeat
 */
export async function listenWithClient(t: Test, plane: Plane, retries: { readonly maxAttempts?: number } = {}) {
  await plane.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = plane.app.server.address() as AddressInfo
  const endpoint = `http://127.0.0.1:${port}`
  const { accessKeyId, secretAccessKey } = plane
  const client = new LambdaClient({
    endpoint,
    region: REGION,
    credentials: { accessKeyId, secretAccessKey },
    ...retries
  })
  t.teardown(() => {
    client.destroy()
  })
  return { port, endpoint, client }
}
