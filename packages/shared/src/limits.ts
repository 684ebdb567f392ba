/** Lambda's numbers. Source: Lambda quotas and the service model (2026); sizes in bytes unless the name says otherwise. */
export const LIMITS = {
  /** A synchronous request body. */
  syncPayloadBytes: 6_291_456,
  /** An event that is run later. */
  asyncPayloadBytes: 1_048_576,
  /** A synchronous response: 6 MiB + 100. */
  responsePayloadBytes: 6_291_556,
  zipBytes: 52_428_800,
  unzippedBytes: 262_144_000,
  /** Ours: AWS bounds entries only through the sum of sizes. */
  archiveEntries: 20_000,
  /** Ours: unpacked size over packed size; honest packages reach 20. */
  archiveRatio: 250,
  layers: 5,
  environmentBytes: 4_096,
  handlerChars: 128,
  descriptionChars: 256,
  clientContextChars: 3_583,
  logTailBytes: 4_096,
  memoryMiB: { min: 128, max: 10_240, default: 128 },
  timeoutS: { min: 1, max: 900, default: 3 },
  ephemeralMiB: { min: 512, max: 10_240, default: 512 },
  /** Events that one instance may serve at once. */
  concurrency: { min: 1, max: 64, default: 1 },
  initTimeoutMs: 10_000,
  /** Memory that buys one full CPU. */
  memoryMiBPerCpu: 1_769
} as const
