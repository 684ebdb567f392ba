import { copyFileSync, cpSync, existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { type InstallJob, PATHS } from '../job.ts'
import { BuildError } from './build-error.ts'
import { command } from './command.ts'
import { startForwarder } from './forwarder.ts'
import { addTree, type Tree, type Zip, zipTree } from './zip-tree.ts'

const WORK = '/tmp/work'
const HOME = '/tmp/home'
const TARGET = '/tmp/target'

/** @throws BuildError */
export async function install(job: InstallJob): Promise<Zip> {
  for (const folder of [WORK, HOME, TARGET]) mkdirSync(folder)
  if (job.inputs === undefined) cpSync(PATHS.task, WORK, { recursive: true, verbatimSymlinks: true })
  else for (const file of job.inputs) copyFileSync(path.join(PATHS.task, file), path.join(WORK, file))
  const proxy = await startForwarder()
  const env = {
    ...job.env,
    HOME,
    http_proxy: proxy,
    https_proxy: proxy,
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy
  }
  const tree: Tree = new Map()
  switch (job.tool) {
    case 'npm':
      await npm(job, env)
      addTree(tree, WORK, (name) => /(^|\/)node_modules\//.test(name) && !name.endsWith('/.package-lock.json'))
      break
    case 'pip':
      await pip(job, env)
      addTree(tree, TARGET)
      break
    case 'bundler':
      await bundler(job, env)
      // Downloads, and logs of compilers with the time in them.
      addTree(
        tree,
        WORK,
        (name) => name.startsWith('vendor/bundle/') && !/\/cache\/|\/(mkmf\.log|gem_make\.out)$/.test(name)
      )
  }
  return zipTree(tree, job.limits)
}

async function npm({ interpreter, npm: program, registry }: InstallJob, env: Record<string, string>): Promise<void> {
  // What is said here counts for more than an .npmrc in the package.
  const options = [
    '--ignore-scripts',
    '--omit=dev',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--no-progress',
    '--no-color',
    '--cache=/tmp/cache',
    '--logs-max=0',
    `--userconfig=${HOME}/user`,
    `--globalconfig=${HOME}/global`,
    `--proxy=${env['http_proxy']}`,
    `--https-proxy=${env['https_proxy']}`,
    '--noproxy=',
    '--fetch-retries=1',
    '--fetch-retry-mintimeout=500',
    '--fetch-retry-maxtimeout=2000',
    ...(registry === undefined ? [] : [`--registry=${registry}`])
  ]
  const status = await command([interpreter, program, 'ci', ...options], { cwd: WORK, env })
  if (status !== 0) throw new BuildError(`npm ci ended with status ${status}.`)
}

async function pip({ interpreter, registry }: InstallJob, env: Record<string, string>): Promise<void> {
  const python = [interpreter, '-I', '-B']
  if ((await command([...python, '-c', 'import pip'], { cwd: WORK, env, quiet: true })) !== 0) {
    throw new BuildError('The Python that serves this function has no pip.', {
      missing: 'pip (apt-get install python3-pip, or python -m ensurepip)'
    })
  }
  const options = [
    '--disable-pip-version-check',
    '--no-input',
    '--no-cache-dir',
    '--no-compile',
    '--no-color',
    '--progress-bar=off',
    '--retries=1',
    '--root-user-action=ignore',
    '--only-binary=:all:',
    `--target=${TARGET}`,
    ...(registry === undefined ? [] : [`--index-url=${registry}`, `--trusted-host=${new URL(registry).host}`])
  ]
  const args = [...python, '-m', 'pip', 'install', ...options, '--requirement', 'requirements.txt']
  const status = await command(args, { cwd: WORK, env: { ...env, PIP_CONFIG_FILE: '/dev/null' } })
  if (status !== 0) throw new BuildError(`pip install ended with status ${status}.`)
}

async function bundler({ interpreter, registry }: InstallJob, env: Record<string, string>): Promise<void> {
  const find = 'print Gem.bin_path("bundler", "bundle")'
  if ((await command([interpreter, '-e', find], { cwd: HOME, env, quiet: true })) !== 0) {
    throw new BuildError('The Ruby that serves this function has no bundler.', {
      missing: 'bundler (apt-get install ruby-bundler, or gem install bundler)'
    })
  }
  const settings = {
    BUNDLE_APP_CONFIG: `${HOME}/bundle`,
    BUNDLE_PATH: 'vendor/bundle',
    BUNDLE_FROZEN: 'true',
    BUNDLE_WITHOUT: 'development:test',
    BUNDLE_SILENCE_ROOT_WARNING: 'true',
    BUNDLE_RETRY: '1',
    BUNDLE_JOBS: '2',
    BUNDLE_DISABLE_VERSION_CHECK: 'true',
    ...(registry === undefined ? {} : { BUNDLE_MIRROR__ALL: registry })
  }
  const args = [interpreter, '-e', 'load Gem.bin_path("bundler", "bundle")', 'install']
  const status = await command(args, { cwd: WORK, env: { ...env, ...settings } })
  if (status !== 0) throw new BuildError(`bundle install ended with status ${status}.`)
  if (!existsSync(path.join(WORK, 'vendor/bundle'))) mkdirSync(path.join(WORK, 'vendor/bundle'), { recursive: true })
}
