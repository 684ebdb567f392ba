/** What every request may run into is said once in a while: at most every `ms` milliseconds. */
export function atMostEvery<T>(ms: number, tell: (value: T) => void): (value: T) => void {
  let next = 0
  return (value) => {
    if (performance.now() < next) return
    next = performance.now() + ms
    tell(value)
  }
}
