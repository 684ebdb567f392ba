import { type ArnScope, type ErrorDetail, HearthError, LAYER_NAME, LIMITS, layerVersionArn } from '@hearth/shared'
import type { ArtifactStore, LayerVersion } from '@hearth/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { CodeLinks } from '../code-links.ts'
import type { Runtimes } from '../functions/runtimes.ts'
import { linkNext, type PageRequest, pageOf } from '../http/cursor.ts'
import { bytesOf } from '../http/raw-bodies.ts'
import { OPT } from '../layers/layer-attachments.ts'
import type { LayerService } from '../layers/layer-service.ts'
import { sniffPackage } from '../packages/package-kind.ts'
import type { PackageStore } from '../packages/package-store.ts'
import { ListQuery } from './function-schemas.ts'
import { LayerName, LayerVersionList, LayerVersionView, PublishQuery, VersionParams } from './layer-schemas.ts'
import { packageResponse, sendPackage } from './package-download.ts'

export interface LayerRoutesOptions {
  readonly layers: LayerService
  readonly packages: PackageStore
  readonly artifacts: ArtifactStore
  readonly runtimes: Runtimes
  readonly links: CodeLinks
  readonly scope: ArnScope
}

const tags = ['layers']
const PAGE = 50
const ARCHITECTURES = ['x86_64', 'arm64']
const NUMBER = /^[1-9]\d{0,14}$/

/** Layers: code that functions find at /opt. Mounted under `/v1/layers`. */
export const layerRoutes: FastifyPluginAsyncZod<LayerRoutesOptions> = async (
  app,
  { layers, packages, artifacts, runtimes, links, scope }
) => {
  app.put(
    '/:name',
    {
      bodyLimit: LIMITS.zipBytes,
      config: { payloads: 'any' },
      schema: {
        operationId: 'publishLayerVersion',
        summary: 'Publish a version of a layer',
        description:
          'The body is a zip or a gzipped tar whose contents functions find below /opt, such as `nodejs/node_modules/…` or `python/…`. Every call makes a new version; numbers are never used again.',
        tags,
        consumes: ['application/octet-stream'],
        params: z.object({ name: LayerName }),
        querystring: PublishQuery,
        body: z.any().meta({ type: 'string', format: 'binary', description: 'Zip or gzipped tar' }),
        response: { 201: LayerVersionView.describe('Published') }
      }
    },
    async (request, reply) => {
      const { description = '', license, runtimes: names, architectures } = request.query
      const settings = {
        description,
        license,
        runtimes: readList('runtimes', names, runtimes.known, 15),
        architectures: readList('architectures', architectures, ARCHITECTURES, 2)
      }
      const bytes = bytesOf(request)
      const kind = sniffPackage(bytes)
      if (kind === 'source') throw new HearthError('INVALID_ARCHIVE', 'A layer is a zip or a gzipped tar.')
      const code = await packages.add(bytes, kind, { home: OPT })
      try {
        const version = layers.publish(request.params.name, settings, code)
        request.log.info({ layer: version.name, version: version.version, bytes: version.codeSize }, 'layer published')
        void reply.code(201).header('location', `/v1/layers/${version.name}/versions/${version.version}`)
        return toView(version, scope)
      } finally {
        code.release()
      }
    }
  )

  app.get(
    '/',
    {
      schema: {
        operationId: 'listLayers',
        summary: 'List layers by name, each with its newest version',
        tags,
        querystring: ListQuery,
        response: { 200: LayerVersionList }
      }
    },
    async (request, reply) => {
      const { limit = PAGE, cursor } = request.query
      return answerPage(
        reply,
        '/v1/layers',
        { query: ['layers'], cursor, limit, key: LAYER_NAME },
        (after, most) => layers.list(after, most, {}),
        ({ name }) => name
      )
    }
  )

  app.get(
    '/:name/versions',
    {
      schema: {
        operationId: 'listLayerVersions',
        summary: 'List versions of a layer, newest first',
        tags,
        params: z.object({ name: LayerName }),
        querystring: ListQuery,
        response: { 200: LayerVersionList }
      }
    },
    async (request, reply) => {
      const { limit = PAGE, cursor } = request.query
      const { name } = request.params
      return answerPage(
        reply,
        `/v1/layers/${name}/versions`,
        { query: ['layer-versions', name], cursor, limit, key: NUMBER },
        (before, most) => layers.listVersions(name, Number(before || Number.MAX_SAFE_INTEGER), most, {}),
        ({ version }) => String(version)
      )
    }
  )

  app.get(
    '/:name/versions/:version',
    {
      schema: {
        operationId: 'getLayerVersion',
        summary: 'Get a version of a layer',
        tags,
        params: VersionParams,
        response: { 200: LayerVersionView }
      }
    },
    async (request) => toView(layers.get(request.params.name, Number(request.params.version)), scope)
  )

  app.delete(
    '/:name/versions/:version',
    {
      schema: {
        operationId: 'deleteLayerVersion',
        summary: 'Delete a version of a layer',
        description: 'Functions that use it go on; new ones cannot take it.',
        tags,
        params: VersionParams,
        response: { 204: z.undefined().describe('Deleted') }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      const { version } = layers.get(name, Number(request.params.version))
      layers.remove(name, version)
      request.log.info({ layer: name, version }, 'layer version deleted')
      return reply.code(204).send()
    }
  )

  app.get(
    '/:name/versions/:version/content',
    {
      config: { access: 'signed-link' },
      schema: {
        operationId: 'getLayerContent',
        summary: 'Download a version of a layer',
        description: 'The bytes as they were uploaded.',
        tags,
        params: VersionParams,
        querystring: z.object({ expires: z.string().regex(/^\d{1,12}$/), signature: z.string().max(64) }).partial(),
        response: { 200: packageResponse }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      const number = Number(request.params.version)
      const { expires = '', signature = '' } = request.query
      // A link is checked before the name is looked up, so that strangers can't find out what exists.
      if (request.principal === null) links.verifyLayer(name, number, expires, signature)
      const { artifact, codeSize } = layers.get(name, number)
      if (!artifacts.has(artifact))
        throw new HearthError('INTERNAL', 'The package of this layer is not in the artifact store.')
      return sendPackage(reply, artifacts.packageFile(artifact), codeSize, `${name}-${number}`)
    }
  )

  function answerPage(
    reply: { header(name: string, value: string): unknown },
    path: string,
    request: PageRequest,
    read: (after: string, limit: number) => readonly LayerVersion[],
    keyOf: (version: LayerVersion) => string
  ) {
    const page = pageOf(request, read, keyOf, (version) => toView(version, scope))
    return linkNext(reply, path, request.limit, page)
  }
}

/** @throws HearthError INVALID_REQUEST that names every value which is not allowed */
function readList(
  name: string,
  text: string | undefined,
  allowed: readonly string[],
  most: number
): readonly string[] | undefined {
  if (text === undefined) return undefined
  const values = text.split(',').filter((value) => value !== '')
  const errors: ErrorDetail[] = values
    .filter((value) => !allowed.includes(value))
    .map((value) => ({ path: `query.${name}`, message: `"${value}" is none of ${allowed.join(', ')}` }))
  if (values.length > most) errors.push({ path: `query.${name}`, message: `at most ${most}` })
  if (errors.length === 0) return values
  const message = errors.map((error) => `${error.path}: ${error.message}`).join('; ')
  throw new HearthError('INVALID_REQUEST', message, { errors })
}

function toView(version: LayerVersion, scope: ArnScope): LayerVersionView {
  return {
    name: version.name,
    version: version.version,
    arn: layerVersionArn(scope, version.name, version.version),
    description: version.description,
    license: version.license ?? null,
    runtimes: version.runtimes === undefined ? null : [...version.runtimes],
    architectures: version.architectures === undefined ? null : [...version.architectures],
    codeSha256: version.codeSha256,
    codeSize: version.codeSize,
    unzippedSize: version.unzippedSize,
    createdAt: version.createdAt
  }
}
