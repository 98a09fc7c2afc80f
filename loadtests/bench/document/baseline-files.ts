import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BASELINE_FORMAT, type Baseline } from './baseline.ts'

/** @returns the baselines in a folder, by name; none when there is no such folder */
export async function readBaselines(folder: string): Promise<readonly Baseline[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const files = names.filter((name) => name.endsWith('.json')).sort()
  return Promise.all(files.map((name) => readBaseline(join(folder, name))))
}

/** @throws {Error} when the file is of another format */
export async function readBaseline(path: string): Promise<Baseline> {
  const baseline = JSON.parse(await readFile(path, 'utf8')) as Baseline
  if (baseline.format !== BASELINE_FORMAT) {
    throw new Error(`${path} has the format "${baseline.format}"; expected "${BASELINE_FORMAT}"`)
  }
  return baseline
}

/** Written beside and then renamed, so that a reader never sees half of it. */
export async function writeWhole(path: string, content: string): Promise<void> {
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

/** A plain value, or a short list of them, as a bucket and its count. */
const isFlat = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (Array.isArray(value) && value.length <= 8 && value.every((item) => typeof item !== 'object' || item === null))
