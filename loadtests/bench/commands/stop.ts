import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { EXIT, Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { parseOptions } from '@hopwhistle/platform/command-line/parse-options.ts'
import { connect } from '@hopwhistle/platform/kubernetes/connect.ts'
import { deleteTestRun, requireOperator } from '../cluster/test-runs.ts'
import { CLUSTER_ENVIRONMENT_HELP } from './cluster-options.ts'

export const stop: Command = {
  summary: 'end a TestRun in a cluster and delete it, with what it measured',
  help: `Usage: main.ts stop NAME [--namespace NS]

Deletes a TestRun of k6-operator with its runners and their logs. What it measured is lost: to have it, first
main.ts collect NAME.

  --namespace NS   that of the kubeconfig's context if not given

Environment:
${CLUSTER_ENVIRONMENT_HELP}
`,
  async run(args, { print }) {
    const { values, positionals } = parseOptions(args, { namespace: { type: 'string' } }, { min: 1, max: 1 })
    const [name = ''] = positionals
    const cluster = connect(values.namespace)
    await requireOperator(cluster)
    if (!(await deleteTestRun(cluster, name))) {
      throw new Failure(`there is no TestRun "${name}" in namespace "${cluster.namespace}"; main.ts list shows them`)
    }
    print(`Stopped ${name}.\n`)
    return EXIT.ok
  },
}
