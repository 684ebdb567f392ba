// TypeScript is transpiled when it is deployed; its types are checked in your editor, not on the server.
interface Event {
  readonly queryStringParameters?: Readonly<Record<string, string>>
}

export const handler = async ({ queryStringParameters = {} }: Event) => {
  const numbers = Object.values(queryStringParameters).map(Number)
  if (numbers.some(Number.isNaN)) return { statusCode: 400, body: 'numbers only, such as ?a=1&b=2' }
  return { sum: numbers.reduce((total, n) => total + n, 0) }
}
