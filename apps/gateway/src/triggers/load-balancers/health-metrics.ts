import { Gauge, type Registry } from 'prom-client'

export interface TargetNow {
  readonly loadBalancer: string
  /** Name of the function, with its qualifier. */
  readonly target: string
  readonly isHealthy: boolean
}

/** How the targets of load balancers are. */
export interface HealthMetrics {
  /** Asked at every scrape from now on. */
  observe(read: () => readonly TargetNow[]): void
}

export function createHealthMetrics(registers: Registry[]): HealthMetrics {
  return {
    observe(read) {
      new Gauge({
        name: 'hearth_load_balancer_target_healthy',
        help: '1: the health checks of a function behind a load balancer say so. Those that are not checked are not here.',
        labelNames: ['load_balancer', 'function'],
        registers,
        collect() {
          this.reset()
          for (const { loadBalancer, target, isHealthy } of read()) {
            this.set({ load_balancer: loadBalancer, function: target }, isHealthy ? 1 : 0)
          }
        }
      })
    }
  }
}
