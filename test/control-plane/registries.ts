import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { Test } from 'tap'
import { tarGz, zipOf } from './support.ts'

export interface NpmPackage {
  readonly name: string
  readonly version: string
  readonly manifest?: Readonly<Record<string, unknown>>
  readonly files: Readonly<Record<string, string>>
}

/** An npm registry, a PyPI index and a gem source on one port, with the packages that a test puts there. */
export async function startRegistries(t: Test) {
  const answers = new Map<string, Buffer>()
  const requests: { readonly path: string; readonly authorization: string | undefined }[] = []
  const server = createServer((req, res) => {
    const path = decodeURIComponent(req.url ?? '')
    requests.push({ path, authorization: req.headers.authorization })
    const answer = answers.get(path)
    if (answer === undefined) res.writeHead(404).end()
    else res.writeHead(200, { 'content-type': path.includes('simple') ? 'text/html' : 'application/json' }).end(answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as { port: number }
  const url = `http://127.0.0.1:${port}`

  return {
    port,
    url,
    requests,
    answers,

    /** Publishes a package. @returns its entry in a lock file */
    npm({ name, version, manifest = {}, files }: NpmPackage) {
      const packed = tarGz(
        Object.entries({
          'package.json': JSON.stringify({ name, version, main: 'index.js', ...manifest }),
          ...files
        }).map(([file, content]) => ({ name: `package/${file}`, data: Buffer.from(content) }))
      )
      const path = `/${name}/-/${name}-${version}.tgz`
      answers.set(path, packed)
      const integrity = `sha512-${createHash('sha512').update(packed).digest('base64')}`
      return { version, resolved: url + path, integrity, ...manifest }
    },

    /** Publishes a pure wheel. @returns the line of requirements.txt */
    async wheel(name: string, version: string, source: string) {
      const file = `${name}-${version}-py3-none-any.whl`
      const info = `${name}-${version}.dist-info`
      const wheel = await zipOf({
        [`${name}.py`]: source,
        [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
        [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
        [`${info}/RECORD`]: `${name}.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n${info}/RECORD,,\n`
      })
      answers.set(`/files/${file}`, wheel)
      answers.set(`/simple/${name}/`, Buffer.from(`<a href="/files/${file}">${file}</a>`))
      return `${name}==${version}`
    },

    /** Publishes what has no wheel. */
    sdist(name: string, version: string, setup: string) {
      const file = `${name}-${version}.tar.gz`
      answers.set(`/files/${file}`, tarGz([{ name: `${name}-${version}/setup.py`, data: Buffer.from(setup) }]))
      answers.set(`/simple/${name}/`, Buffer.from(`<a href="/files/${file}">${file}</a>`))
      return `${name}==${version}`
    },

    /** Puts any file there. */
    file(path: string, content: Buffer) {
      answers.set(path, content)
    }
  }
}

/** package.json and package-lock.json of a project with these dependencies. */
export function npmProject(
  dependencies: Readonly<Record<string, { readonly version: string }>>,
  more: Readonly<Record<string, unknown>> = {}
): Record<string, string> {
  const wanted = Object.fromEntries(Object.entries(dependencies).map(([name, { version }]) => [name, version]))
  const root = { name: 'app', version: '1.0.0', ...more, dependencies: wanted }
  const packages = {
    '': root,
    ...Object.fromEntries(Object.entries(dependencies).map(([name, entry]) => [`node_modules/${name}`, entry]))
  }
  return {
    'package.json': JSON.stringify(root),
    'package-lock.json': JSON.stringify({ name: 'app', version: '1.0.0', lockfileVersion: 3, requires: true, packages })
  }
}
