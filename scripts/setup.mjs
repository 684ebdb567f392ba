// Makes a fresh clone runnable: system packages, node_modules, build. Node built-ins only; does nothing twice.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

const installedFile = path.join(root, 'node_modules', '.hearth-installed')
const builtFile = (script) => path.join(root, 'node_modules', `.hearth-${script.replace(':', '-')}`)

/** Commands that the server needs, with the Debian and Ubuntu package that brings each. */
const SERVER_PACKAGES = {
  bwrap: 'bubblewrap',
  perl: 'perl-base',
  unshare: 'util-linux',
  ip: 'iproute2',
  nft: 'nftables',
  'mkfs.ext4': 'e2fsprogs'
}
/** What the tests use beside that. */
const TEST_PACKAGES = {
  curl: 'curl',
  setpriv: 'util-linux',
  aws: 'awscli',
  cc: 'gcc libc6-dev',
  python3: 'python3',
  pip3: 'python3-pip',
  ruby: 'ruby',
  bundle: 'ruby-bundler',
  mono: 'mono-runtime',
  mcs: 'mono-mcs',
  javac: 'default-jdk-headless',
  // With these the tests build aws-lambda-ric.
  'curl-config': 'libcurl4-openssl-dev',
  cmake: 'cmake',
  make: 'make',
  'g++': 'g++',
  xz: 'xz-utils',
  prometheus: 'prometheus',
  promtool: 'prometheus'
}
const BENCH_PACKAGES = { wrk: 'wrk' }
/** What npm needs to build the SQLite addon where no prebuilt one fits. */
const BUILD_PACKAGES = { make: 'make', 'g++': 'g++', python3: 'python3' }

/** With each of them one more runtime can be built. */
const RUNTIME_COMPILERS = ['javac', 'mcs']

class SetupError extends Error {}

/** @param {{ forTests?: boolean, forBench?: boolean }} [options] */
export function setup({ forTests = false, forBench = false } = {}) {
  checkNode()
  installPackages({ ...SERVER_PACKAGES, ...(forTests ? TEST_PACKAGES : {}), ...(forBench ? BENCH_PACKAGES : {}) })
  if (forTests) installSecondAwsCli()
  const script = forTests || forBench ? 'build' : 'build:server'
  if (modulesStamp() === undefined && buildStamp(script) === undefined) return
  alone(() => {
    installModules()
    build(script)
  })
}

/** Runs `work` while no other set-up of this clone does: two that install or build at once break each other. */
function alone(work) {
  const lock = path.join(root, '.hearth-setup.lock')
  for (let isTold = false; ; ) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (isAbandoned(lock)) {
      rmSync(lock, { force: true })
      continue
    }
    if (!isTold) console.log('waiting for another set-up of this clone')
    isTold = true
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
  }
  try {
    work()
  } finally {
    rmSync(lock, { force: true })
  }
}

/** Whether the process that made the lock is gone. One that has not written its number yet is given time. */
function isAbandoned(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'))
    if (pid === 0) return Date.now() - statSync(lock).mtimeMs > 5_000
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetupError(`Hearth needs Node.js 20.19 or newer; this is ${process.versions.node}`)
  }
}

/** @param {Record<string, string>} wanted - command to package */
function installPackages(wanted) {
  const missing = [
    ...new Set(
      Object.entries(wanted)
        .filter(([command]) => !onPath(command))
        .map(([, name]) => name)
    )
  ]
  if (missing.length === 0) return
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`
  if (!onPath('apt-get'))
    throw new SetupError(`missing: ${missing.join(', ')} (names of Debian packages); install them and start again`)
  if (process.getuid?.() !== 0)
    throw new SetupError(`missing: ${missing.join(', ')}. Type this, then start again:\n\n  sudo ${command}\n`)
  console.log(`installing ${missing.join(', ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  run('apt-get', ['update', '-qq'], { env, mayFail: true })
  run('apt-get', command.split(' ').slice(1), { env })
}

/** @returns what to write when node_modules are as they should be, or undefined when they are */
function modulesStamp() {
  const lock = createHash('sha256').update(readFileSync(path.join(root, 'package-lock.json')))
  const stamp = lock.update(process.versions.modules).digest('hex')
  return existsSync(installedFile) && readFileSync(installedFile, 'utf8') === stamp ? undefined : stamp
}

function installModules() {
  const stamp = modulesStamp()
  if (stamp === undefined) return
  console.log('installing node_modules (npm ci)')
  const install = () => run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { mayFail: true })
  // The two SQLite addons are optional to npm, because each Node needs only one of them.
  if (!install() || !existsSync(path.join(root, sqliteAddon()))) {
    // The likely reason is the native code: no prebuilt file for this machine, no compiler either.
    if (Object.keys(BUILD_PACKAGES).every(onPath)) throw new SetupError('npm ci failed; its own message above says why')
    installPackages(BUILD_PACKAGES)
    if (!install() || !existsSync(path.join(root, sqliteAddon()))) {
      throw new SetupError('npm ci did not bring SQLite; `npm ci --foreground-scripts` shows why')
    }
  }
  writeFileSync(installedFile, stamp)
}

/** What this Node loads: see packages/store/src/sqlite-addon.ts. */
function sqliteAddon() {
  return Number.parseInt(process.versions.node, 10) < 22
    ? 'node_modules/better-sqlite3/build/Release/better_sqlite3.node'
    : 'node_modules/better-sqlite3-node22/lib/index.js'
}

/**
 * @param {'build' | 'build:server'} script - all, or what `npm start` runs
 * @returns what to write when it is built, or undefined when it is
 */
function buildStamp(script) {
  const folders = ['packages', 'apps', 'scripts', ...(script === 'build' ? ['deploy', 'test', 'bench'] : [])]
  const newest = newestSource(folders)
  const compilers = RUNTIME_COMPILERS.filter(onPath).join()
  const products = [
    'apps/gateway/dist/bundle.mjs',
    'packages/executor/dist/index.js',
    ...(script === 'build' ? ['bench/dist/run.js'] : [])
  ]
  const stamp = `${newest} ${compilers}`
  const isBuilt = products.every((file) => existsSync(path.join(root, file)))
  if (!isBuilt || !existsSync(builtFile(script))) return stamp
  const [built, builtWith = compilers] = readFileSync(builtFile(script), 'utf8').split(' ')
  return Number(built) >= newest && builtWith === compilers ? undefined : stamp
}

/** @param {'build' | 'build:server'} script */
function build(script) {
  const stamp = buildStamp(script)
  if (stamp === undefined) return
  console.log('building')
  run('npm', ['run', '--silent', script])
  // Whoever has built all has built the server too.
  for (const done of new Set([script, 'build:server'])) writeFileSync(builtFile(done), stamp)
}

/** Modification time of the newest file that the build reads, in ms. */
function newestSource(folders) {
  let newest = 0
  const visit = (directory) => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.name === 'dist' || entry.name === 'node_modules' || entry.name.startsWith('.')) continue
      const file = path.join(directory, entry.name)
      if (entry.isDirectory()) visit(file)
      else newest = Math.max(newest, statSync(file).mtimeMs)
    }
  }
  for (const folder of folders) visit(path.join(root, folder))
  for (const file of ['tsconfig.json', 'tsconfig.base.json', 'package-lock.json']) {
    newest = Math.max(newest, statSync(path.join(root, file)).mtimeMs)
  }
  return newest
}

/** @param {string} command */
/** Debian's AWS CLI is the second version, which alone can `logs tail`; pip's, which may be there, is the first. */
function installSecondAwsCli() {
  const isSecond = (file) => spawnSync(file, ['--version'], { encoding: 'utf8' }).stdout?.startsWith('aws-cli/2')
  if (['/usr/bin/aws', 'aws'].some(isSecond) || !onPath('apt-get') || process.getuid?.() !== 0) return
  console.log('installing awscli')
  run('apt-get', ['install', '-y', '--no-install-recommends', 'awscli'], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    mayFail: true
  })
}

function onPath(command) {
  // Administrators' folders are not on everybody's PATH, but that is where Debian puts ip and nft.
  return [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'].some((folder) => {
    try {
      accessSync(path.join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function run(command, args, { mayFail = false, env = process.env } = {}) {
  const { status } = spawnSync(command, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status === 0) return true
  if (mayFail) return false
  throw new SetupError(`${command} ${args.join(' ')} failed`)
}

/** Runs `main` and prints what is wrong without a stack when it is something to do for the reader. */
export async function runScript(main) {
  try {
    await main()
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    console.error(`hearth: ${error.message}`)
    process.exitCode = 1
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runScript(() => setup({ forTests: process.argv.includes('--tests') }))
}
