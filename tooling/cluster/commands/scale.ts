import { Failure } from '../../../platform/command-line/failure.ts'
import { parseOptions, wholeNumber } from '../../../platform/command-line/parse-options.ts'
import { requireCluster } from '../../../platform/kubernetes/kubectl.ts'
import { requirePrograms, tryTo } from '../../../platform/kubernetes/programs.ts'
import { installChart } from '../install-chart.ts'
import { readDeploySettings } from '../settings.ts'
import type { ClusterCommand } from './cluster-command.ts'

const MAX = 200

export const scale: ClusterCommand = {
  summary: 'run more or fewer pods of the API',
  help: `Usage: main.ts scale --replicas N

Sets how many pods of the API run, from 1 to ${MAX}, and waits until they do; with the autoscaler on, how many run at
least. It is a value of the release, so later deployments keep it, and the chart refuses more pods than Postgres has
connections for.

Environment:
  KUBECONFIG   which cluster: the current context of this file (~/.kube/config)
  NAMESPACE    hopwhistle
  RELEASE      hopwhistle
`,
  async run(args, steps) {
    const { values } = parseOptions(args, { replicas: { type: 'string', default: '' } })
    const replicas = wholeNumber('--replicas', values.replicas, 1, MAX)
    const { namespace, release } = readDeploySettings(process.env)
    requirePrograms(['kubectl', 'helm'])
    await requireCluster()
    const text = await tryTo('helm', ['get', 'values', release, '--namespace', namespace, '--all', '--output', 'json'])
    if (text === undefined) throw new Failure(`there is no release ${release} in namespace ${namespace}: make deploy`)
    const { api } = JSON.parse(text) as { readonly api: { readonly autoscaling: { readonly enabled: boolean } } }
    const path = api.autoscaling.enabled ? 'api.autoscaling.min' : 'api.replicas'
    await installChart({ chart: 'hopwhistle', release, namespace, set: { [path]: replicas } }, steps)
    return `${api.autoscaling.enabled ? 'At least ' : ''}${replicas} pods of the API run.\n`
  },
}
