import { z } from 'zod'
import { apiView, CreateApiInput, UpdateApiInput } from './apis.ts'
import { Tags } from './model.ts'
import { type ApiOperation, apiOperation, pageOf } from './operation.ts'
import { badRequest } from './refusals.ts'

/** On APIs themselves, and on tags. */
export const API_OPERATIONS: readonly ApiOperation[] = [
  apiOperation({
    name: 'CreateApi',
    request: 'POST /apis',
    note: 'quick create (`target`) for HTTP APIs, with a function as target',
    input: CreateApiInput,
    run: ({ input, origin }, apis) => apiView(apis.create(input), apis.drafts, origin)
  }),
  apiOperation({
    name: 'GetApi',
    request: 'GET /apis/:apiId',
    run: ({ params, origin }, { drafts }) => apiView(drafts.get(params['apiId']!), drafts, origin)
  }),
  apiOperation({
    name: 'GetApis',
    request: 'GET /apis',
    run: ({ query, origin }, { drafts }) =>
      pageOf(
        ['GetApis'],
        query,
        (after, limit) => drafts.repository.list(after, limit),
        ({ id }) => id,
        (api) => apiView(api, drafts, origin)
      )
  }),
  apiOperation({
    name: 'UpdateApi',
    request: 'PATCH /apis/:apiId',
    input: UpdateApiInput,
    run: ({ params, input, origin }, apis) => apiView(apis.update(params['apiId']!, input), apis.drafts, origin)
  }),
  apiOperation({
    name: 'DeleteApi',
    request: 'DELETE /apis/:apiId',
    run({ params }, apis) {
      apis.remove(params['apiId']!)
      return undefined
    }
  }),
  apiOperation({
    name: 'DeleteCorsConfiguration',
    request: 'DELETE /apis/:apiId/cors',
    run({ params }, apis) {
      apis.removeCors(params['apiId']!)
      return undefined
    }
  }),
  apiOperation({
    name: 'GetTags',
    request: 'GET /tags/:resourceArn',
    note: 'of APIs, stages and domain names',
    run: ({ params }, { tags }) => ({ tags: tags.get(params['resourceArn']!) })
  }),
  apiOperation({
    name: 'TagResource',
    request: 'POST /tags/:resourceArn',
    input: z.strictObject({ tags: Tags }),
    run({ params, input }, { tags }) {
      tags.add(params['resourceArn']!, input.tags)
      return {}
    }
  }),
  apiOperation({
    name: 'UntagResource',
    request: 'DELETE /tags/:resourceArn',
    run({ params, query }, { tags }) {
      const keys = [query['tagKeys'] ?? []].flat().map(String)
      if (keys.length === 0) throw badRequest('tagKeys is required.', 'tagKeys')
      tags.remove(params['resourceArn']!, keys)
      return undefined
    }
  })
]
