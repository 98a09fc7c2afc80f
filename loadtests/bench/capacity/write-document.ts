import { fileURLToPath } from 'node:url'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { KEPT_DIR, readCapacities } from './capacity-files.ts'
import { renderDocument } from './render-text.ts'

const DOCUMENT = fileURLToPath(new URL('../../../docs/capacity.md', import.meta.url))

/** Writes docs/capacity.md from the measurements that are kept, and from nothing else. @returns its path */
export async function writeCapacityDocument(): Promise<string> {
  await writeWhole(DOCUMENT, renderDocument(await readCapacities(KEPT_DIR)))
  return DOCUMENT
}
