const json = (statusCode, value) => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value)
})

/** Each route of the API, by its key. */
const routes = {
  'GET /api/hello/{name}': ({ pathParameters: { name } }) => json(200, { greeting: `Hello, ${name}!` }),

  'POST /api/count': ({ body, isBase64Encoded }) => {
    const text = Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8').toString()
    let input
    try {
      input = JSON.parse(text)
    } catch {
      return json(400, { error: 'the body is not JSON' })
    }
    if (typeof input?.text !== 'string') return json(400, { error: 'text is missing' })
    const words = input.text.match(/[\p{L}\p{N}]+/gu) ?? []
    return json(200, { words: words.length, characters: [...input.text].length, minutes: Math.ceil(words.length / 200) })
  }
}

export const handler = async (event) => routes[event.routeKey]?.(event) ?? json(404, { error: 'not here' })
