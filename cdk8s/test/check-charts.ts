/**
 * `npm run check:charts`: holds what the charts render against the API schemas of Kubernetes and of Prometheus Operator.
 *
 * Exits with 0 when all of it is as they say, with 1 otherwise.
 */
import { CHARTS } from '../charts/charts.ts'
import { API_VERSIONS, schemaProblems } from '../schemas/schema-problems.ts'
import { defaultsOf } from '../values/define.ts'
import { synthesize } from '../values/helm-chart.ts'
import { everythingOfItsOwn, switchedOn, type Tree } from './support/switched-on.ts'

const problems = CHARTS.flatMap((chart) => {
  const all = [{}, switchedOn(defaultsOf(chart.values)) as Tree, everythingOfItsOwn(chart)]
  // Through JSON, as it goes to the API server.
  const manifests = all.flatMap((values) => JSON.parse(JSON.stringify(synthesize(chart, { name: 'mine', values }))))
  return API_VERSIONS.flatMap((version) => schemaProblems(version, manifests))
})
for (const problem of new Set(problems)) process.stdout.write(`${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1
