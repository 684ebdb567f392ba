import { realpath } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import { Readable } from 'node:stream'
import { type FileSendResult, send } from '@fastify/send'
import type { ApiStaticFiles } from '@hearth/shared'
import { hasBody } from '../respond.ts'

/** Sends files of APIs. */
export interface StaticFiles {
  /**
   * @param file - Path of the request, decoded, without dot segments
   * @param complete - Adds what all answers have; flat: name, value, …
   * @returns false when there is no such file: nothing was sent then
   */
  serve(
    req: IncomingMessage,
    res: ServerResponse,
    files: ApiStaticFiles,
    file: string,
    complete: (headers: string[]) => string[]
  ): Promise<boolean>
}

/** Asked for each time, and answered with 304: a new upload is seen at once. */
const CACHE_CONTROL = 'public, max-age=0, must-revalidate'
/** A browser that finds its own way asks for pages; what looks like a file is one. */
const FILE_NAME = /\.[^/]*$/
const OUTSIDE = new Error('a link leads out of the folder')

/** @param folderOf - Where an artifact's files are */
export function createStaticFiles(folderOf: (sha256: string) => string): StaticFiles {
  return {
    async serve(req, res, files, file, complete) {
      const folder = folderOf(files.sha256)
      const { index, notFound, sha256 } = files
      let status = 200
      let found = await find(req, folder, index, file)
      if (found === undefined && notFound !== undefined) {
        const isApp = notFound === index
        if (!isApp) status = 404
        if (!isApp || !FILE_NAME.test(file)) found = await find(req, folder, index, `/${notFound}`)
      }
      if (found === undefined) return false
      if (res.destroyed) {
        if (found !== 'folder') found.stream.destroy()
        return true
      }
      const headers = ['cache-control', CACHE_CONTROL, 'x-content-type-options', 'nosniff']
      // What is sent with a GET is not read: the next request on this connection must not begin with it.
      if (hasBody(req) && !req.complete) headers.push('connection', 'close')
      if (found === 'folder') {
        // Relative to the path of the request, whatever leads to the API.
        const name = encodeURIComponent(file.slice(file.lastIndexOf('/') + 1))
        res.writeHead(301, complete([...headers, 'location', `./${name}/`, 'content-length', '0'])).end()
        return true
      }
      // The artifact's name says what is in it.
      const etag = `"${sha256.slice(0, 16)}-${found.metadata.stat.size.toString(16)}"`
      headers.push('etag', etag)
      if (status === 200 && isKnown(req, etag)) {
        found.stream.destroy()
        res.writeHead(304, complete(headers)).end()
        return true
      }
      headers.push('content-type', String(found.headers['Content-Type']))
      headers.push('content-length', String(found.headers['Content-Length']))
      res.writeHead(status, complete(headers))
      const { stream } = found
      res.once('close', () => stream.destroy())
      stream.once('error', () => res.destroy())
      stream.pipe(res)
      return true
    }
  }
}

async function find(
  { method }: IncomingMessage,
  folder: string,
  index: string,
  file: string
): Promise<FileSendResult | 'folder' | undefined> {
  // Conditions are this server's affair: what it is shown has none.
  const plain = Object.assign(new Readable(), { method, headers: {} })
  const url = encodeURI(file).replaceAll(/[?#]/g, encodeURIComponent)
  try {
    const result = await send(plain, url, {
      root: folder,
      index,
      dotfiles: 'ignore',
      acceptRanges: false,
      cacheControl: false,
      lastModified: false,
      etag: false,
      onFile: async (found) => {
        if (!(await realpath(found)).startsWith((await realpath(folder)) + path.sep)) throw OUTSIDE
      }
    })
    if (result.type === 'file') return result
    return result.type === 'directory' && result.statusCode === 301 ? 'folder' : undefined
  } catch (err) {
    // A lone surrogate is in no file's name.
    if (err === OUTSIDE || err instanceof URIError) return undefined
    throw err
  }
}

function isKnown({ headers }: IncomingMessage, etag: string): boolean {
  const sent = headers['if-none-match']
  return sent?.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag) === true
}
