/** `npm run charts`: writes charts/, each chart's folder anew. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hopwhistle } from './charts/hopwhistle.ts'
import { renderChart } from './values/helm-chart.ts'

const CHARTS = fileURLToPath(new URL('../charts/', import.meta.url))

for (const [name, files] of [[hopwhistle.name, renderChart(hopwhistle)]] as const) {
  const folder = join(CHARTS, name)
  rmSync(folder, { recursive: true, force: true })
  for (const [path, content] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  process.stderr.write(`charts: wrote charts/${name}, ${files.size} files\n`)
}
