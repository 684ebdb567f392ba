/** Names of what is to be looked at, each once, in turn. */
export interface DirtyGroups {
  add(name: string): void
  /** @returns undefined when there is none */
  take(): string | undefined
  readonly size: number
}

export function createDirtyGroups(): DirtyGroups {
  const names = new Set<string>()
  return {
    add: (name) => void names.add(name),
    take() {
      for (const name of names) {
        names.delete(name)
        return name
      }
      return undefined
    },
    get size() {
      return names.size
    }
  }
}
