import { parseOptions } from '../../../platform/command-line/parse-options.ts'
import { requireCluster } from '../../../platform/kubernetes/kubectl.ts'
import { requirePrograms } from '../../../platform/kubernetes/programs.ts'
import { deployPlatform } from '../deploy-platform.ts'
import { ENVIRONMENT_HELP, readDeploySettings } from '../settings.ts'
import type { ClusterCommand } from './cluster-command.ts'

export const deploy: ClusterCommand = {
  summary: 'deploy the platform into the cluster that KUBECONFIG points to',
  help: `Usage: main.ts deploy

Builds the API's image and brings it to the cluster, installs what the platform needs there and the charts, waits until
everything is ready, loads the demo data, and prints the addresses. Running it again changes what has changed since:
nothing, most of the time. Needs kubectl and Helm.

${ENVIRONMENT_HELP}`,
  async run(args, steps) {
    parseOptions(args, {})
    const settings = readDeploySettings(process.env)
    requirePrograms(['kubectl', 'helm'])
    await requireCluster()
    return deployPlatform(settings, steps)
  },
}
