/**
 * A function URL as its callers write it: the URL's host with the scheme and the port that the client of this API used.
 *
 * @param origin - Scheme and authority
 */
export function addressOf(id: string, urlDomain: string, origin: string): string {
  const { protocol, port } = new URL(origin)
  return `${protocol}//${id}.${urlDomain}${port === '' ? '' : `:${port}`}/`
}
