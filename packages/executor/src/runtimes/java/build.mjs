// Compiles the Java runtime with the JDK of this machine, and lets each JVM write an archive of its classes, which
// makes it start faster and share memory. Without a JDK there is no Java: nothing is made.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build as bundle } from 'esbuild'

/** Classes for the oldest JVM that the compiler can still serve. */
const RELEASES = ['8', '11', '17']
/** The channel's descriptor is made into a stream by a constructor of java.io that is not public. */
const MANIFEST = 'Main-Class: hearth.runtime.Main\nAdd-Opens: java.base/java.io\n'
const TOP_FOLDERS = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']

/** @param {{ source: string, target: string }} folders - this folder, and the one that sandboxes see at /var/runtime */
export async function build({ source, target }) {
  const work = mkdtempSync(path.join(tmpdir(), 'hearth-java-'))
  try {
    const { findJvms, openMachine, archiveCommand, archivesDir, mountsOf } = await loadOwn(source, work)
    const node = { execPath: process.execPath, version: process.versions.node }
    const machine = openMachine({ node, bundledDir: target, configured: {}, path: process.env['PATH'] ?? '' })
    const jvms = await findJvms(machine)
    const jdk = jvms.find(({ home }) => ['javac', 'jar'].every((tool) => existsSync(path.join(home, 'bin', tool))))
    if (jdk === undefined) return

    const classes = path.join(work, 'classes')
    compile(jdk, javaFiles(path.join(source, 'bootstrap')), classes)
    const manifest = path.join(work, 'manifest')
    writeFileSync(manifest, MANIFEST)
    archive(jdk, path.join(target, 'runtime.jar'), classes, ['.'], manifest)
    copyFileSync(path.join(source, 'start.pl'), path.join(target, 'start.pl'))

    // What a runtime runs before it has a function: one class from a jar in lib, as functions have them.
    const warm = path.join(target, 'warm')
    compile(jdk, javaFiles(path.join(source, 'warm')), warm, classes)
    mkdirSync(path.join(warm, 'lib'))
    archive(jdk, path.join(warm, 'lib/warm.jar'), warm, ['warm/Streams.class'])
    rmSync(path.join(warm, 'warm/Streams.class'))

    mkdirSync(archivesDir(target))
    for (const jvm of jvms) {
      const command = archiveCommand(jvm)
      if (command !== undefined) inSandbox(command, mountsOf(jvm, target), target)
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The server's own way of finding and starting JVMs, so that there is only one. */
async function loadOwn(source, work) {
  const entry = ['jvms.ts', 'launch.ts', '../machine.ts'].map((file) => `export * from '${path.join(source, file)}'`)
  const outfile = path.join(work, 'own.mjs')
  const stdin = { contents: entry.join('\n'), resolveDir: source, loader: 'ts' }
  await bundle({ stdin, outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning' })
  return import(pathToFileURL(outfile).href)
}

function compile(jdk, files, into, classPath = into) {
  mkdirSync(into, { recursive: true })
  let complaint = ''
  for (const release of RELEASES) {
    const flags = ['--release', release, '-encoding', 'UTF-8', '-Xlint:-options', '-g', '-cp', classPath, '-d', into]
    const { status, stderr } = spawnSync(path.join(jdk.home, 'bin/javac'), [...flags, ...files], { encoding: 'utf8' })
    if (status === 0) return
    complaint = stderr
    if (!complaint.includes(`release version ${release} not supported`)) break
  }
  throw new Error(`javac failed:\n${complaint}`)
}

/** Stored, not compressed: it is read at each start. */
function archive(jdk, file, folder, names, manifest = undefined) {
  const flags = [...(manifest === undefined ? ['cfM0', file] : ['cfm0', file, manifest]), ...names.flatMap((name) => ['-C', folder, name])]
  const { status, stderr } = spawnSync(path.join(jdk.home, 'bin/jar'), flags, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`jar failed:\n${stderr}`)
}

/** Runs a command in a view of this machine like that of functions, but with `target` writable. */
function inSandbox(command, mounts, target) {
  const args = ['--unshare-pid', '--unshare-net', '--die-with-parent', '--clearenv', '--setenv', 'LANG', 'C.UTF-8']
  args.push('--ro-bind', '/usr', '/usr', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--dir', '/var/task')
  for (const name of TOP_FOLDERS) {
    const folder = `/${name}`
    if (!existsSync(folder)) continue
    if (lstatSync(folder).isSymbolicLink()) args.push('--symlink', readlinkSync(folder), folder)
    else args.push('--ro-bind', folder, folder)
  }
  for (const mount of mounts) args.push(mount.source === target ? '--bind' : '--ro-bind', mount.source, mount.target)
  const { status, error, stderr } = spawnSync('bwrap', [...args, '--chdir', '/tmp', ...command], { encoding: 'utf8' })
  // Functions run without it, too; they only start slower.
  if (status !== 0) console.warn(`no class-data archive for ${mounts[0]?.source}: ${error?.message ?? stderr.trim()}`)
}

function javaFiles(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.java'))
    .map((name) => path.join(folder, name))
}
