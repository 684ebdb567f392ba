import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Mount } from '@hearth/sandbox'
import type { BootPlan } from '../../boot.ts'
import type { Jvm } from './jvms.ts'

/** As seen inside. */
const RUNTIME_DIR = '/var/runtime'
const HOME = '/var/lang'
const RUNTIME_JAR = `${RUNTIME_DIR}/runtime.jar`
const ARCHIVES = 'archives'

/** What a JVM needs beside its heap (classes, compiled code, threads, its own): measured, plus a share that grows. */
const OUTSIDE_HEAP_MIB = 40
const HEAP_SHARE = 0.88
const MIN_HEAP_MIB = 48
/** Grows when it must; larger, and a small function touches memory that it never needed. */
const FIRST_HEAP_MIB = 16

/** The first version that can write an archive of what it loaded from a class path (JEP 350). */
const FIRST_WITH_ARCHIVES = 13
/** The first version with modules, and the first that keeps its own packages closed to reflection. */
const FIRST_WITH_MODULES = 9
const FIRST_CLOSED = 16
/** What functions of Java 8 and 11 could look into: the packages that their libraries do. */
const OPENED =
  'java.lang java.lang.invoke java.lang.reflect java.io java.math java.net java.nio java.nio.charset java.security java.text java.time java.util java.util.concurrent java.util.concurrent.atomic java.util.regex sun.net.www.protocol.http sun.nio.ch sun.security.ssl sun.util.calendar'

/** Of the program that starts the JVM; of no function yet, INIT replaces all of it. */
const ENVIRONMENT = { PATH: '/var/lang/bin:/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', TZ: ':UTC' }

/**
 * How one JVM is started in a sandbox.
 *
 * @param runtimeDir - Folder that the build made, absolute
 * @param open - Whether reflection may reach into the JDK's own classes, as it could up to Java 15
 */
export function bootPlan(jvm: Jvm, runtimeDir: string, open: boolean, memoryMiB: number): BootPlan {
  const archive = archiveName(jvm)
  const shared = existsSync(path.join(runtimeDir, archive)) ? [`-XX:SharedArchiveFile=${RUNTIME_DIR}/${archive}`] : []
  return {
    command: [
      '/usr/bin/perl',
      `${RUNTIME_DIR}/start.pl`,
      `${HOME}/bin/java`,
      ...memoryFlags(memoryMiB),
      ...vmFlags(jvm),
      ...shared,
      ...openFlags(jvm, open),
      '-jar',
      RUNTIME_JAR
    ],
    env: ENVIRONMENT,
    mounts: mountsOf(jvm, runtimeDir)
  }
}

/**
 * The command that loads what a runtime loads and writes an archive of it, to be run with {@link mountsOf} and the
 * runtime's folder writable: a JVM takes an archive only if the class path has the same name then and now. Undefined
 * for JVMs that cannot.
 */
export function archiveCommand(jvm: Jvm): readonly string[] | undefined {
  if (jvm.major < FIRST_WITH_ARCHIVES) return undefined
  const flags = [
    `-XX:ArchiveClassesAtExit=${RUNTIME_DIR}/${archiveName(jvm)}`,
    '-Xlog:disable',
    '-Xlog:all=error:stderr'
  ]
  return [`${HOME}/bin/java`, ...flags, ...vmFlags(jvm), '-jar', RUNTIME_JAR]
}

/** The folder of archives, below the runtime's. */
export function archivesDir(runtimeDir: string): string {
  return path.join(runtimeDir, ARCHIVES)
}

export function mountsOf(jvm: Jvm, runtimeDir: string): Mount[] {
  return [{ source: jvm.home, target: HOME }, { source: runtimeDir, target: RUNTIME_DIR }, ...jvm.etc]
}

/** Whether this JVM is stricter than those of Java 8 and 11 were. */
export function isClosed({ major }: Jvm): boolean {
  return major >= FIRST_CLOSED
}

/**
 * A JVM must know its limit when it starts: by itself it takes a quarter of the machine's memory.
 * @param memoryMiB - The function's memory
 */
export function memoryFlags(memoryMiB: number): string[] {
  const heap = Math.max(MIN_HEAP_MIB, Math.floor(memoryMiB * HEAP_SHARE) - OUTSIDE_HEAP_MIB)
  return [`-Xms${FIRST_HEAP_MIB}m`, `-Xmx${heap}m`]
}

function vmFlags({ major }: Jvm): string[] {
  return [
    '-XX:+UseSerialGC',
    // Functions end before the second compiler has paid for itself; Lambda does the same.
    '-XX:TieredStopAtLevel=1',
    // A thread that failed for want of memory must not leave a half-dead process that only a timeout would end.
    '-XX:+ExitOnOutOfMemoryError',
    '-XX:-UsePerfData',
    '-Xshare:auto',
    // Archives where they were made for, not at a random address: only there do JVMs share their memory.
    ...(major >= 17 ? ['-XX:+UnlockDiagnosticVMOptions', '-XX:ArchiveRelocationMode=0'] : [])
  ]
}

function openFlags({ major }: Jvm, open: boolean): string[] {
  const isOpen = open || major < FIRST_CLOSED
  if (major < FIRST_WITH_MODULES || !isOpen) return []
  return OPENED.split(' ').map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`)
}

/** One for each JVM, whatever it was updated to since. */
function archiveName({ home, version }: Jvm): string {
  return `${ARCHIVES}/${createHash('sha256').update(`${home} ${version}`).digest('hex').slice(0, 16)}.jsa`
}
