/**
 * Adds up the steps and tests of .ci/run: `node tooling/sum-reports.ts FOLDER`.
 *
 * Names what failed and what was skipped; the last line is `N passed, N failed, N skipped`.
 * Exits with 0 when nothing failed, else with 1.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { addUp, type Step, type TestReport } from './add-up.ts'

const folder = process.argv[2]
if (folder === undefined) throw new Error('usage: node tooling/sum-reports.ts FOLDER')

const steps = readFileSync(join(folder, 'steps'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line): Step => {
    const [exit = '', report = '-', name = ''] = line.split('\t')
    const file = join(folder, report)
    if (report === '-') return { name, exit }
    const output = readFileSync(file.replace(/json$/, 'txt'), 'utf8')
    const tests = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as TestReport) : null
    const second = file.replace(/json$/, 'again.json')
    const again = existsSync(second) ? { again: JSON.parse(readFileSync(second, 'utf8')) as TestReport } : {}
    return { name, exit, report: tests, output, ...again }
  })

const { passed, failed, skipped, lines } = addUp(steps)
for (const line of lines) process.stdout.write(`  ${line}\n`)
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`)
process.exitCode = failed === 0 ? 0 : 1
