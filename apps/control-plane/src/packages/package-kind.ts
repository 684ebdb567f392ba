/** What an upload is, told by its first bytes: clients send any content type or none. */
export type PackageKind = 'zip' | 'tar.gz' | 'source'

export function sniffPackage(bytes: Uint8Array): PackageKind {
  // PK 03 04: a zip. PK 05 06: a zip without entries, which unpacking refuses by name.
  if (
    bytes[0] === 0x50 &&
    bytes[1] === 0x4b &&
    ((bytes[2] === 3 && bytes[3] === 4) || (bytes[2] === 5 && bytes[3] === 6))
  ) {
    return 'zip'
  }
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? 'tar.gz' : 'source'
}
