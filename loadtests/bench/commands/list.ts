import { columns } from '@hopwhistle/platform/command-line/columns.ts'
import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { EXIT } from '@hopwhistle/platform/command-line/failure.ts'
import { parseOptions } from '@hopwhistle/platform/command-line/parse-options.ts'
import { duration } from '@hopwhistle/platform/command-line/terminal.ts'
import { connect } from '@hopwhistle/platform/kubernetes/connect.ts'
import { readRunnerPods } from '../cluster/runner-pods.ts'
import { listTestRuns, requireOperator, scenarioNameOf } from '../cluster/test-runs.ts'
import { CLUSTER_ENVIRONMENT_HELP } from './cluster-options.ts'

export const list: Command = {
  summary: 'list the TestRuns of a cluster, with their runners',
  help: `Usage: main.ts list [--namespace NS]

Lists the TestRuns of k6-operator: scenario, stage, age, and how many of their runners run, have ended well, or not.

  --namespace NS   that of the kubeconfig's context if not given

Environment:
${CLUSTER_ENVIRONMENT_HELP}
`,
  async run(args, { print }) {
    const { values } = parseOptions(args, { namespace: { type: 'string' } })
    const cluster = connect(values.namespace)
    await requireOperator(cluster)
    const testRuns = await listTestRuns(cluster)
    if (testRuns.length === 0) {
      print(`No TestRun in namespace ${cluster.namespace}. Make one: main.ts run call-state-updates --cluster\n`)
      return EXIT.ok
    }
    const rows = await Promise.all(
      testRuns.map(async (testRun) => {
        const { metadata, spec, status } = testRun
        const pods = await readRunnerPods(cluster, metadata.name, spec.parallelism)
        const count = (matches: (pod: (typeof pods)[number]) => boolean) => String(pods.filter(matches).length)
        return [
          metadata.name,
          scenarioNameOf(testRun),
          status?.stage ?? 'new',
          duration(Date.now() - Date.parse(metadata.creationTimestamp)),
          String(spec.parallelism),
          count(({ state }) => state === 'running'),
          count(({ state, exitCode }) => state === 'ended' && exitCode === 0),
          count(({ state, exitCode }) => state === 'ended' && exitCode !== 0),
        ]
      }),
    )
    print(columns([['test run', 'scenario', 'stage', 'age', 'runners', 'running', 'ended well', 'not'], ...rows]))
    print('\nResult of one: main.ts collect NAME · end one: main.ts stop NAME\n')
    return EXIT.ok
  },
}
