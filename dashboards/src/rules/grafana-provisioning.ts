/** What Grafana reads from its folder `provisioning` when it starts, without the alerts. */
import { DATASOURCE_UID } from './grafana-alerting.ts'
import { toYaml } from './prometheus-rules.ts'

/** @param url where Grafana finds Prometheus; Grafana itself fills in `$PROMETHEUS_URL` */
export const datasource = (url = '$PROMETHEUS_URL'): string =>
  toYaml({
    apiVersion: 1,
    datasources: [
      {
        name: 'Prometheus',
        uid: DATASOURCE_UID,
        type: 'prometheus',
        access: 'proxy',
        url,
        isDefault: true,
        editable: false,
        jsonData: { timeInterval: '5s', httpMethod: 'POST' },
      },
    ],
  })

/** Grafana itself fills in `$HOPWHISTLE_DASHBOARDS`, the folder with the JSON files. */
export const dashboardProvider = (): string =>
  toYaml({
    apiVersion: 1,
    providers: [
      {
        name: 'hopwhistle',
        folder: 'Hopwhistle',
        type: 'file',
        disableDeletion: true,
        allowUiUpdates: false,
        options: { path: '$HOPWHISTLE_DASHBOARDS' },
      },
    ],
  })
