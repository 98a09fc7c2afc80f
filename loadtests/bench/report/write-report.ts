import { join } from 'node:path'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { RESULTS_DIR } from '../run/result-files.ts'
import { renderReport } from './render-report.ts'

export const REPORT_FILE = 'report.html'

/** @returns the path of the file written, `report.html` in the folder of the results */
export async function writeReport(results: readonly LoadtestResult[], dir = RESULTS_DIR): Promise<string> {
  const path = join(dir, REPORT_FILE)
  await writeWhole(path, renderReport(results))
  return path
}
