import type { Language, SourceRule } from '@hearth/executor/runtimes'
import { HearthError } from '@hearth/shared'
import { decodeSource, type SourcePackage, zipOne } from './source-package.ts'

/** A single file of a language that brings its own rule for it. */
export interface LanguageSource extends SourcePackage {
  readonly language: Language
}

/**
 * The package that a single file makes, when one of `languages` has a rule for it.
 *
 * @param extension - Of the file name that came with it; undefined: told from `wanted`, or else from the text
 * @param wanted - The language that the deployer named
 * @returns undefined when none has: it is JavaScript or TypeScript, or nothing
 * @throws HearthError INVALID_SOURCE
 */
export async function packLanguageSource(
  bytes: Buffer,
  extension: string | undefined,
  wanted: Language | undefined,
  languages: readonly Language[]
): Promise<LanguageSource | undefined> {
  const rules = languages.flatMap((language) => language.sources.map((rule) => ({ language, rule })))
  const byName = rules.find(({ rule }) => extension !== undefined && rule.extension === extension)
  if (byName !== undefined) return pack(byName.language, byName.rule, decodeSource(bytes))
  if (extension !== undefined) return undefined
  const own = rules.find(({ language }) => language === wanted)
  if (own !== undefined) return pack(own.language, own.rule, decodeSource(bytes))
  if (wanted !== undefined) {
    if (wanted.name === 'node') return undefined
    throw new HearthError('INVALID_SOURCE', `A single source file cannot be deployed as ${wanted.name}: send a zip.`)
  }
  const text = decodeSource(bytes)
  const found = rules.find(({ rule }) => rule.recognises(text))
  return found === undefined ? undefined : pack(found.language, found.rule, text)
}

/** Extensions of single files that languages take. */
export function sourceExtensions(languages: readonly Language[]): string[] {
  return languages.flatMap(({ sources }) => sources.map(({ extension }) => extension)).filter((name) => name !== '')
}

async function pack(language: Language, rule: SourceRule, text: string): Promise<LanguageSource> {
  const { file, executable = false, handler, notices } = rule.pack(text)
  return { language, zip: await zipOne(file, text, executable), handler, exports: undefined, notices }
}
