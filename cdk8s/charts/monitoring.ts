/** The chart charts/hopwhistle-monitoring: looks at a release of hopwhistle, by programs of its own or an operator's. */
import { readdirSync, readFileSync } from 'node:fs'
import { MONITORING, RULE_SCALES } from '../chart-values/monitoring-values.ts'
import { VERSION } from '../chart-values/versions.ts'
import { Alertmanager } from '../constructs/monitoring/alertmanager.ts'
import { Boards } from '../constructs/monitoring/boards.ts'
import { Exporters, QUERIES } from '../constructs/monitoring/exporters.ts'
import { ALERTING, GRAFANA_RULES, Grafana, PROVISIONING } from '../constructs/monitoring/grafana.ts'
import { GRAFANA, PROMETHEUS } from '../constructs/monitoring/names.ts'
import { MonitoringPolicies } from '../constructs/monitoring/network-policies.ts'
import { OperatorObjects } from '../constructs/monitoring/operator.ts'
import { Prometheus, RULE_FILES } from '../constructs/monitoring/prometheus.ts'
import { StateMetrics } from '../constructs/monitoring/state-metrics.ts'
import { both, either, not } from '../values/compute.ts'
import type { HelmChart } from '../values/helm-chart.ts'
import { Conditional } from '../values/when.ts'

const DASHBOARDS = new URL('../../dashboards/', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, DASHBOARDS), 'utf8')
const BOARDS = readdirSync(new URL('grafana/', DASHBOARDS))
  .filter((name) => name.endsWith('.json'))
  .sort()

/** What is written in dashboards/, by its path in the chart. */
const FILES = {
  'README.md': readFileSync(new URL('./monitoring.md', import.meta.url), 'utf8'),
  [QUERIES]: read('exporters/postgres-queries.yaml'),
  ...Object.fromEntries(BOARDS.map((board) => [`files/grafana/${board}`, read(`grafana/${board}`)])),
  ...Object.fromEntries(
    RULE_SCALES.flatMap((scale) =>
      [...RULE_FILES, GRAFANA_RULES].map((file) => [
        `files/rules/${scale}/${file}.yaml`,
        read(`rules/${scale}/${file}.yaml`),
      ]),
    ),
  ),
  ...Object.fromEntries(
    [...PROVISIONING, ...ALERTING].map((file) => [`files/provisioning/${file}`, read(`provisioning/${file}`)]),
  ),
}

/** What Helm says at the end. */
const NOTES = `{{- if not .Values.operator.enabled }}
Prometheus is the Service ${PROMETHEUS.name}, port 9090{{ if .Values.grafana.enabled }}; Grafana is ${GRAFANA.name}, port 3000. Its admin's password:

  kubectl --namespace {{ .Release.Namespace }} get secret {{ if .Values.grafana.existingSecret }}{{ .Values.grafana.existingSecret }} --output jsonpath='{.data.admin-password}'{{ else }}{{ .Values.release }}-credentials --output jsonpath='{.data.grafana-password}'{{ end }} | base64 --decode{{ end }}
{{- end }}
`

export const monitoring: HelmChart<typeof MONITORING> = {
  name: 'hopwhistle-monitoring',
  version: VERSION,
  appVersion: VERSION,
  description: 'Metrics, alerts and dashboards of Hopwhistle',
  title:
    'Values of the chart hopwhistle-monitoring. Written by npm run charts; values.schema.json says what each may be.',
  values: MONITORING,
  notes: NOTES,
  files: FILES,
  build(chart, values) {
    const { operator, grafana } = values
    const alone = new Conditional(chart, 'alone', not(operator.enabled))
    new Exporters(chart, values)
    new OperatorObjects(new Conditional(chart, 'with', operator.enabled), values)
    new Prometheus(alone, values)
    new Alertmanager(alone, values)
    new StateMetrics(new Conditional(alone, 'states', values.kubernetes.stateMetrics.enabled), values)
    const shown = new Conditional(chart, 'shown', either(operator.enabled, grafana.enabled))
    const boards = new Boards(shown, values, BOARDS)
    new Grafana(new Conditional(chart, 'own', both(not(operator.enabled), grafana.enabled)), values, boards.names)
    new MonitoringPolicies(chart, values)
  },
}
