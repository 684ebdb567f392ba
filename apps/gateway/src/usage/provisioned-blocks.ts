import { PROVISIONED_BLOCK_MS, type UsageKey } from '@hearth/shared'
import type { ProvisionedBlock } from '@hearth/store'

/** Provisioned concurrency of one version or alias that is enabled now. */
export interface ProvisionedKept extends UsageKey {
  readonly qualifier: string
  readonly requested: number
  readonly memoryMiB: number
}

interface Block {
  startedAt: number
  chargedMiB: number
  /** Enabled when it was last looked. */
  isKept: boolean
}

/**
 * Bills provisioned concurrency in blocks of five minutes from its enabling on, each at its beginning: so it is rounded
 * up, and a restart, or another amount within a block, bills nothing twice. Of amounts within a block the largest counts.
 * Time in which the gateway did not run is not billed.
 */
export class ProvisionedBlocks {
  readonly #blocks: Map<string, Block & { readonly functionName: string; readonly qualifier: string }>

  /** @param blocks - Of the process before */
  constructor(blocks: readonly ProvisionedBlock[]) {
    this.#blocks = new Map(blocks.map((block) => [nameOf(block), { ...block, isKept: true }]))
  }

  /**
   * @param charge - Called for what is to be billed, in ms times MiB
   * @returns all blocks, when one has changed; they are to be kept with what was billed
   */
  update(
    now: number,
    kept: readonly ProvisionedKept[],
    charge: (one: ProvisionedKept, msMiB: number) => void
  ): readonly ProvisionedBlock[] | undefined {
    let hasChanged = false
    const seen = new Set<string>()
    for (const one of kept) {
      const name = nameOf(one)
      seen.add(name)
      const { functionName, qualifier } = one
      let block = this.#blocks.get(name)
      if (block === undefined || now >= block.startedAt + PROVISIONED_BLOCK_MS) {
        const elapsed = block === undefined ? 0 : now - block.startedAt
        const startedAt = block?.isKept === true ? now - (elapsed % PROVISIONED_BLOCK_MS) : now
        block = { functionName, qualifier, startedAt, chargedMiB: 0, isKept: true }
        this.#blocks.set(name, block)
      }
      block.isKept = true
      const wanted = one.requested * one.memoryMiB
      if (wanted <= block.chargedMiB) continue
      charge(one, (wanted - block.chargedMiB) * PROVISIONED_BLOCK_MS)
      block.chargedMiB = wanted
      hasChanged = true
    }
    for (const [name, block] of this.#blocks) {
      if (seen.has(name)) continue
      block.isKept = false
      if (now < block.startedAt + PROVISIONED_BLOCK_MS) continue
      this.#blocks.delete(name)
      hasChanged = true
    }
    if (!hasChanged) return undefined
    return [...this.#blocks.values()].map(({ functionName, qualifier, startedAt, chargedMiB }) => ({
      functionName,
      qualifier,
      startedAt,
      chargedMiB
    }))
  }
}

function nameOf({ functionName, qualifier }: { readonly functionName: string; readonly qualifier: string }): string {
  return `${functionName}:${qualifier}`
}
