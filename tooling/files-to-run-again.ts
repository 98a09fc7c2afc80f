/** Prints the files of a test report that .ci/run runs a second time, one a line: `node tooling/files-to-run-again.ts REPORT`. */
import { readFileSync } from 'node:fs'
import { filesToRunAgain, type TestReport } from './add-up.ts'

const [report] = process.argv.slice(2)
if (report === undefined) throw new Error('usage: node tooling/files-to-run-again.ts REPORT')
for (const file of filesToRunAgain(JSON.parse(readFileSync(report, 'utf8')) as TestReport)) {
  process.stdout.write(`${file}\n`)
}
