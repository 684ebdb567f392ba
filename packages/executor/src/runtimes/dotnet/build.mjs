// Compiles the .NET runtime where there is a compiler for it: Mono's, whose assemblies run on Mono and on .NET alike.
// Without one nothing is made, and functions are refused with what to install.
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, readdirSync } from 'node:fs'
import path from 'node:path'

/** @param {{ source: string, target: string }} folders - this folder, and the one that sandboxes see at /var/runtime */
export async function build({ source, target }) {
  if (spawnSync('mcs', ['--version'], { stdio: 'ignore' }).status !== 0) return
  const compile = (folder, out, ...options) => {
    const files = readdirSync(path.join(source, folder)).filter((file) => file.endsWith('.cs'))
    const inputs = files.sort().map((file) => path.join(source, folder, file))
    execFileSync('mcs', ['-nologo', '-optimize', `-out:${path.join(target, out)}`, ...options, ...inputs], {
      stdio: ['ignore', 'ignore', 'inherit']
    })
  }
  const core = path.join(target, 'Amazon.Lambda.Core.dll')
  compile('core', 'Amazon.Lambda.Core.dll', '-target:library')
  compile('warm', 'Warm.dll', '-target:library', `-r:${core}`)
  compile('bootstrap', 'bootstrap.exe', '-r:System.Core.dll')
  for (const file of ['bootstrap.runtimeconfig.json', 'program.sh']) {
    copyFileSync(path.join(source, file), path.join(target, file))
  }
}
