import { readdir, readlink } from 'node:fs/promises'
import path from 'node:path'
import { ArchiveError, staysInside } from './archive-plan.ts'
import { createTreeWriter, runAll } from './tree-writer.ts'

type Node =
  | { readonly kind: 'directory'; readonly entries: Map<string, Node> }
  | { readonly kind: 'file'; readonly source: string }
  | { readonly kind: 'link'; readonly target: string }

/**
 * Makes one tree of several, as if they had been unpacked over each other: folders are merged, anything else is
 * replaced by what comes later under its name. A folder takes a link's place and never goes through it.
 *
 * @param sources - Absolute; trees that were checked when they were unpacked
 * @param root - Is made
 * @throws ArchiveError when links that stay inside their own tree lead out of the common one
 */
export async function mergeTrees(sources: readonly string[], root: string): Promise<void> {
  const top = new Map<string, Node>()
  for (const source of sources) await overlay(top, source)
  const writer = createTreeWriter(root)
  const links = new Map<string, { readonly target: string }>()
  const jobs: (() => Promise<void>)[] = []
  for (const [relative, node] of walk(top, '')) {
    if (node.kind === 'link') links.set(relative, node)
    else if (node.kind === 'directory') await writer.directory(relative)
    else jobs.push(() => writer.share(relative, node.source))
  }
  for (const link of links.keys()) {
    if (!staysInside(link, links))
      throw new ArchiveError(`Together, these layers make a link that leads out of them: ${JSON.stringify(link)}.`)
  }
  await runAll(jobs)
  await writer.finish({ resolvedLinks: () => [...links].map(([at, { target }]) => ({ path: at, target })) })
}

async function overlay(into: Map<string, Node>, folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const source = path.join(folder, entry.name)
    if (entry.isSymbolicLink()) into.set(entry.name, { kind: 'link', target: await readlink(source) })
    else if (!entry.isDirectory()) into.set(entry.name, { kind: 'file', source })
    else {
      const there = into.get(entry.name)
      const entries = there?.kind === 'directory' ? there.entries : new Map<string, Node>()
      into.set(entry.name, { kind: 'directory', entries })
      await overlay(entries, source)
    }
  }
}

function* walk(entries: ReadonlyMap<string, Node>, prefix: string): Generator<[string, Node]> {
  for (const [name, node] of entries) {
    yield [prefix + name, node]
    if (node.kind === 'directory') yield* walk(node.entries, `${prefix}${name}/`)
  }
}
