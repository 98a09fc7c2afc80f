import { parseOptions } from '../../../platform/command-line/parse-options.ts'
import { requirePrograms } from '../../../platform/kubernetes/programs.ts'
import { deployPlatform } from '../deploy-platform.ts'
import { createKindCluster, deleteKindCluster, KIND_CLUSTER } from '../kind.ts'
import { ENVIRONMENT_HELP, readDeploySettings } from '../settings.ts'
import type { ClusterCommand } from './cluster-command.ts'

export const kindUp: ClusterCommand = {
  summary: 'make a cluster on this machine with kind, and deploy the platform into it',
  help: `Usage: main.ts kind-up

Makes the kind cluster "${KIND_CLUSTER}" of kind-config.yaml, unless it is there, and then does what \`main.ts deploy\`
does, with the ports of this machine that kind-config.yaml names. Needs Docker, kind, kubectl and Helm.

${ENVIRONMENT_HELP}`,
  async run(args, steps) {
    parseOptions(args, {})
    const settings = readDeploySettings(process.env)
    requirePrograms(['docker', 'kind', 'kubectl', 'helm'])
    await createKindCluster(steps)
    return deployPlatform(settings, steps)
  },
}

export const kindDown: ClusterCommand = {
  summary: 'remove that cluster with all that is in it',
  help: `Usage: main.ts kind-down

Removes the kind cluster "${KIND_CLUSTER}" with all that is in it; none there is fine.
`,
  async run(args, steps) {
    parseOptions(args, {})
    requirePrograms(['docker', 'kind'])
    await deleteKindCluster(steps)
    return 'The cluster is gone.\n'
  },
}
