import type { ArnScope } from '@hearth/shared'
import { createAwsDoor, createAwsStreamDoor } from '../aws-door.ts'
import type { Hallway } from '../hallway.ts'
import { createUrlDoor, URL_BY_PATH } from '../url-door.ts'
import { enterUrl } from '../url-entrance.ts'
import type { UrlTable } from '../url-table.ts'
import { createV1Door } from '../v1-door.ts'
import type { Mounts } from './mounts.ts'

/** Where functions are called: AWS's paths and the server's own, and their URLs by path. @param urls - Undefined until the database is there */
export function mountInvocations(
  { allMethods, mount, mountDoor }: Mounts,
  hallway: Hallway,
  scope: ArnScope,
  urls: () => UrlTable | undefined
): void {
  const stream = createAwsStreamDoor(hallway, scope)
  const fn = createUrlDoor(hallway, scope, Date.now)
  const byPath = createUrlDoor(hallway, scope, Date.now, URL_BY_PATH)
  mountDoor(['POST'], '/2015-03-31/functions/:name/invocations', createAwsDoor(hallway, scope))
  mountDoor(['POST'], '/2021-11-15/functions/:name/response-streaming-invocations', stream)
  mountDoor(['POST'], '/v1/functions/:name/invocations', createV1Door(hallway, scope))
  for (const url of ['/fn/:name', '/fn/:name/*']) mountDoor(allMethods, url, fn)
  for (const url of ['/url/:name', '/url/:name/*']) {
    mount(allMethods, url, 'function-url', (req, res, id, name) => {
      hallway.directory.refresh()
      enterUrl(hallway, byPath, req, res, id, urls()?.byId(name))
    })
  }
}
