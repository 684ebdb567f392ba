/**
 * Work that must come after all that this turn of the event loop reads: the START, END and REPORT lines. Raw output
 * of an instance travels on a socket of its own, so a line written before an answer may be read after it, in the
 * same turn.
 */
export interface Journal {
  push(entry: JournalEntry): void
}

export interface JournalEntry {
  /** Called once, in the order of pushing, after the turn's reads. */
  write(): void
}

export function createJournal(): Journal {
  let entries: JournalEntry[] = []
  const flush = () => {
    const batch = entries
    entries = []
    for (const entry of batch) entry.write()
  }
  return {
    push(entry) {
      if (entries.push(entry) === 1) setImmediate(flush)
    }
  }
}
