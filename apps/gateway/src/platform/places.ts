/** A number of places for everybody, by name. */
export interface Places {
  /** @returns false when all of this name are taken */
  take(name: string): boolean
  give(name: string): void
}

export function createPlaces(each: number): Places {
  const taken = new Map<string, number>()
  return {
    take(name) {
      const count = taken.get(name) ?? 0
      if (count >= each) return false
      taken.set(name, count + 1)
      return true
    },
    give(name) {
      const left = (taken.get(name) ?? 0) - 1
      if (left > 0) taken.set(name, left)
      else taken.delete(name)
    }
  }
}
