/** `Root=…;Parent=…;Sampled=…` in any order, further keys allowed; what else a client sends is not passed on. */
const TRACE_HEADER = /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}(;[A-Za-z]{1,16}=[0-9A-Za-z:|.-]{0,256}){0,8}$/

export function isTraceHeader(text: string): boolean {
  return TRACE_HEADER.test(text)
}

/** Makes X-Ray trace headers from request ids: their digits are random already. */
export function createTraceIds(
  nowMs: () => number
): (requestId: string, sent: string | string[] | undefined) => string {
  let second = -1
  let root = ''
  return (requestId, sent) => {
    if (typeof sent === 'string' && isTraceHeader(sent)) return sent
    const now = Math.floor(nowMs() / 1_000)
    if (now !== second) {
      second = now
      root = `Root=1-${now.toString(16).padStart(8, '0')}-`
    }
    const id = requestId
    // A UUID is 8-4-4-4-12: the first 24 digits for the root, the last 16 for the parent.
    const digits = id.slice(0, 8) + id.slice(9, 13) + id.slice(14, 18)
    return `${root}${digits}${id.slice(24, 32)};Parent=${id.slice(19, 23)}${id.slice(24)};Sampled=0`
  }
}
