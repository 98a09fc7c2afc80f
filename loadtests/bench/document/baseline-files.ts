import { readdir, readFile } from 'node:fs/promises'
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
