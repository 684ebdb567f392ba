/**
 * The path of a request as routes and functions see it: decoded, as HTTP APIs do. What is matched is what the function
 * gets, so that no spelling of a path leads past the route, and the authorizer, that it is for. A question mark that was
 * escaped ends it, as on AWS.
 *
 * @param rawPath - As it was sent, without the query
 * @returns undefined when it is none: a broken escape, a NUL, or a dot segment, which programs behind the route might
 *   resolve to another path than the one that was let in
 */
export function decodePath(rawPath: string): string | undefined {
  let path = rawPath
  if (rawPath.includes('%')) {
    try {
      path = decodeURIComponent(rawPath)
    } catch {
      return undefined
    }
    if (path.includes('\0')) return undefined
    const mark = path.indexOf('?')
    if (mark !== -1) path = path.slice(0, mark)
  }
  return (path.includes('.') || path.includes('%')) && DOT_SEGMENT.test(path) ? undefined : path
}

/** As URL parsers read it: `%2e` is a dot, a backslash a slash, and tabs and line ends are left out. */
const DOT_SEGMENT = /(?:^|[/\\])[\t\n\r]*(?:\.|%2e)[\t\n\r]*(?:(?:\.|%2e)[\t\n\r]*)?(?:[/\\]|$)/i
