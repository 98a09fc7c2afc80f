/**
 * `npm run check:charts`: checks what the charts render, and loadtests/testruns, against the API schemas of Kubernetes, of
 * Prometheus Operator and of k6-operator.
 *
 * Exits with 0 when all of it is as they say, with 1 otherwise.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { CHARTS } from '../charts/charts.ts'
import { API_VERSIONS, schemaProblems } from '../schemas/schema-problems.ts'
import { defaultsOf } from '../values/define.ts'
import { type Manifest, synthesize } from '../values/helm-chart.ts'
import { everythingOfItsOwn, switchedOn, type Tree } from './support/switched-on.ts'

const TEST_RUNS = new URL('../../loadtests/testruns/', import.meta.url)
const testRuns = readdirSync(TEST_RUNS).flatMap((file) =>
  parseAllDocuments(readFileSync(new URL(file, TEST_RUNS), 'utf8')).map((document) => document.toJS() as Manifest),
)
const rendered = CHARTS.flatMap((chart) => {
  const all = [{}, switchedOn(defaultsOf(chart.values)) as Tree, everythingOfItsOwn(chart)]
  // Through JSON, as it goes to the API server.
  return all.flatMap((values) => JSON.parse(JSON.stringify(synthesize(chart, { name: 'mine', values }))) as Manifest[])
})
const problems = API_VERSIONS.flatMap((version) => schemaProblems(version, [...rendered, ...testRuns]))
for (const problem of new Set(problems)) process.stdout.write(`${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1
