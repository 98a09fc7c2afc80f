import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { MonitoringValues } from '../../chart-values/monitoring-values.ts'
import { fileContent, merged } from '../../values/compute.ts'
import { kubeObject } from '../../values/kube-object.ts'
import { GRAFANA } from './names.ts'

/** The dashboards of dashboards/grafana, a ConfigMap each, labelled for Grafana's sidecar, which looks for them. */
export class Boards extends Construct {
  /** The names of the ConfigMaps. */
  readonly names: readonly string[]

  constructor(scope: Construct, { operator }: MonitoringValues, boards: readonly string[]) {
    super(scope, 'boards')
    this.names = boards.map((board) => {
      const file = board.replace('.json', '')
      const name = `${GRAFANA.name}-${file}`
      kubeObject(this, file, k8s.KubeConfigMap, {
        metadata: { name, labels: merged(operator.dashboardLabels, GRAFANA.labels) },
        data: { [board]: fileContent(`files/grafana/${board}`) },
      })
      return name
    })
  }
}
