// curl -T hello.mjs … localhost:8080/v1/functions/     then     curl … localhost:8080/fn/hello -d '{"name":"Ada"}'
export const handler = async (event) => {
  const { name = 'world' } = event.body ? JSON.parse(event.body) : {}
  return `Hello, ${name}!`
}
