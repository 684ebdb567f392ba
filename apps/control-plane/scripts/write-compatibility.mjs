// Writes docs/aws-compatibility.md from the operations: node apps/control-plane/scripts/write-compatibility.mjs (after a build).
import { writeFileSync } from 'node:fs'
import { compatibilityDocument } from '../dist/index.js'

writeFileSync(new URL('../../../docs/aws-compatibility.md', import.meta.url), compatibilityDocument())
