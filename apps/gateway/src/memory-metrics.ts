import { availableMemory, memoryCapacity } from '@hearth/executor'
import { Gauge, type Registry } from 'prom-client'

/** Series of the memory that there is for instances; read at every scrape. Those that are not known are left out. */
export function observeMemory(registers: Registry[]): void {
  const gauge = (name: string, help: string, read: () => Promise<number | undefined>): void => {
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        const bytes = await read()
        if (bytes === undefined) this.remove()
        else this.set(bytes)
      }
    })
  }
  gauge(
    'hearth_memory_capacity_bytes',
    'Memory of this machine, or of the container that the server is in.',
    memoryCapacity
  )
  gauge('hearth_memory_available_bytes', 'What of it could still be used.', availableMemory)
}
