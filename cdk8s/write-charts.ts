/** `npm run charts`: writes charts/, replacing each chart's folder, and loadtests/testruns. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CHARTS } from './charts/charts.ts'
import { plainTestRuns } from './charts/plain-test-runs.ts'
import { renderChart } from './values/helm-chart.ts'

const CHECKOUT = fileURLToPath(new URL('../', import.meta.url))

const FOLDERS: readonly (readonly [folder: string, files: ReadonlyMap<string, string>])[] = [
  ...CHARTS.map((chart) => [`charts/${chart.name}`, renderChart(chart)] as const),
  ['loadtests/testruns', plainTestRuns()],
]

for (const [folder, files] of FOLDERS) {
  rmSync(join(CHECKOUT, folder), { recursive: true, force: true })
  for (const [path, content] of files) {
    const file = join(CHECKOUT, folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
  process.stderr.write(`charts: wrote ${folder}, ${files.size} files\n`)
}
