import { SCENARIO_NAMES } from '@hopwhistle/contract/scenarios.ts'
import { columns } from '@hopwhistle/platform/command-line/columns.ts'
import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { EXIT, Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { parseOptions } from '@hopwhistle/platform/command-line/parse-options.ts'
import { duration } from '@hopwhistle/platform/command-line/terminal.ts'
import { connect } from '@hopwhistle/platform/kubernetes/connect.ts'
import { resultsInNamespace } from '../cluster/kept-result.ts'
import { writeResult } from '../run/result-files.ts'
import { CLUSTER_ENVIRONMENT_HELP } from './cluster-options.ts'
import { printReport, printVerdicts } from './report-results.ts'

export const results: Command = {
  summary: 'list the results that are kept in a namespace of a cluster, or read some of them',
  help: `Usage: main.ts results [NAME]… [--namespace NS] [--results-dir DIR]

Lists the results that scheduled runs, or run --cluster --keep-results, kept in a namespace: name, scenario, profile,
verdict, age. With names, of different scenarios, it writes those to loadtests/results, prints their verdicts and writes
the report, as of a run that was just made; main.ts judge and report read them there.

  --namespace NS      that of the kubeconfig's context if not given
  --results-dir DIR   instead of loadtests/results

Environment:
${CLUSTER_ENVIRONMENT_HELP}

Exit codes: of a list 0; with names as of main.ts baseline.
`,
  async run(args, { print }) {
    const { values, positionals } = parseOptions(
      args,
      { namespace: { type: 'string' }, 'results-dir': { type: 'string' } },
      { min: 0, max: SCENARIO_NAMES.length },
    )
    const cluster = connect(values.namespace)
    const kept = await resultsInNamespace(cluster)
    if (positionals.length === 0) {
      if (kept.length === 0) {
        print(
          `No result is kept in namespace ${cluster.namespace}. Keep one: main.ts run --cluster --keep-results 30\n`,
        )
        return EXIT.ok
      }
      const rows = kept.map(({ name, madeAt, result: { scenario, profile, verdict } }) => {
        return [name, scenario, profile, verdict?.outcome ?? 'unknown', duration(Date.now() - madeAt.getTime())]
      })
      print(columns([['result', 'scenario', 'profile', 'verdict', 'age'], ...rows]))
      return EXIT.ok
    }
    const read = positionals.map((name) => {
      const found = kept.find((one) => one.name === name)?.result
      if (found === undefined) {
        throw new Failure(`no result "${name}" is kept in namespace "${cluster.namespace}"; main.ts results lists them`)
      }
      return found
    })
    for (const result of read) {
      const note = writeResult(result, values['results-dir'])
      if (note !== undefined) print(`${note}\n`)
    }
    const exitCode = printVerdicts(read, print)
    await printReport(read, print, values['results-dir'])
    return exitCode
  },
}
