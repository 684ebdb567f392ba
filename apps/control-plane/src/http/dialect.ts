/** AWS's APIs carry their version, a date, as the first part of the path, but for some; everything else speaks REST. */
export function isAwsPath(url: string): boolean {
  return /^\/(\d{4}-\d{2}-\d{2}|schedules|schedule-groups|tags|v2)(\/|$|\?)/.test(url)
}

/** Path without query: queries carry values of environment variables and signatures, which no log may have. */
export function pathOf(url: string): string {
  const mark = url.indexOf('?')
  return mark < 0 ? url : url.slice(0, mark)
}
