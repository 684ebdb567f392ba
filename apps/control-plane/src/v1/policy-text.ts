import { HearthError } from '@hearth/shared'
import { checkDocument } from '../access/policy-documents.ts'

type Document = string | Readonly<Record<string, unknown>>

/** A document as it is kept: text stays as it was sent. */
export function textOf(document: Document): string {
  return typeof document === 'string' ? document : JSON.stringify(document)
}

/** Mistakes in a document are told with the member that has it. @param place - `body.trust`, … */
export function inPlace<T>(place: string, work: () => T): T {
  try {
    return work()
  } catch (err) {
    if (!(err instanceof HearthError) || err.code !== 'MALFORMED_POLICY') throw err
    throw new HearthError('MALFORMED_POLICY', `${place.replace(/^body\./, '')}: ${err.message}`, {
      errors: err.errors.map(({ path, message }) => ({ path: path.replace(/^document/, place), message }))
    })
  }
}

/** Inline policies by name, as they are kept. @throws HearthError MALFORMED_POLICY */
export function textsOf(policies: Readonly<Record<string, Document>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(policies).map(([name, document]) => {
      const text = textOf(document)
      inPlace(`body.policies.${name}`, () => {
        checkDocument(text, 'identity')
      })
      return [name, text]
    })
  )
}

/** For answers: documents as objects. */
export function objectOf(document: string): Record<string, unknown> {
  return JSON.parse(document) as Record<string, unknown>
}
