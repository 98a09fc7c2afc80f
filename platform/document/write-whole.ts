import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Writes a temporary file and renames it, so that a reader never sees a part of it. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(`${path}.new`, content)
  await rename(`${path}.new`, path)
}

/** JSON with a line for each list of plain values, so that a diff shows what changed and a file stays short. */
export function renderJson(value: unknown, indent = ''): string {
  if (Array.isArray(value)) {
    if (value.every(isFlat)) return JSON.stringify(value)
    return `[\n${value.map((item) => `${indent}  ${renderJson(item, `${indent}  `)}`).join(',\n')}\n${indent}]`
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  if (entries.length === 0) return '{}'
  if (entries.every(([, item]) => typeof item === 'number')) return JSON.stringify(value)
  const lines = entries.map(([key, item]) => `${indent}  ${JSON.stringify(key)}: ${renderJson(item, `${indent}  `)}`)
  return `{\n${lines.join(',\n')}\n${indent}}`
}

/** A plain value, or a short list of them, such as a bucket and its count. */
const isFlat = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (Array.isArray(value) && value.length <= 8 && value.every((item) => typeof item !== 'object' || item === null))
