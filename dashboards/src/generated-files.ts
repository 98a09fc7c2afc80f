/** Everything that is written from the definitions here, by its path in the repository. */
import { BOARDS } from './boards/boards.ts'
import { runbooksDashboard } from './boards/runbooks.ts'
import { toDashboard } from './boards/to-dashboard.ts'
import { contactPoints, grafanaAlertRules, notificationPolicy } from './rules/grafana-alerting.ts'
import { dashboardProvider, datasource } from './rules/grafana-provisioning.ts'
import { alertRuleGroups, prometheusRule, recordingRuleGroups, ruleFile } from './rules/prometheus-rules.ts'
import { PRODUCTION, SCALES, type Scale } from './scale.ts'

const ROOT = 'dashboards'

export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ...BOARDS.map((board) => [`${ROOT}/grafana/${board.name}.json`, json(toDashboard(board))] as const),
    [`${ROOT}/grafana/runbooks.json`, json(runbooksDashboard())],
    ...SCALES.flatMap(rulesOf),
    [`${ROOT}/provisioning/datasources/hopwhistle.yaml`, datasource()],
    [`${ROOT}/provisioning/dashboards/hopwhistle.yaml`, dashboardProvider()],
    [`${ROOT}/provisioning/alerting/contact-points.yaml`, contactPoints()],
    [`${ROOT}/provisioning/alerting/notification-policy.yaml`, notificationPolicy()],
    [`${ROOT}/provisioning/alerting/rules.yaml`, grafanaAlertRules(PRODUCTION)],
  ])
}

function rulesOf(scale: Scale): readonly (readonly [string, string])[] {
  const [recording, alerts] = [recordingRuleGroups(scale), alertRuleGroups(scale)]
  const folder = `${ROOT}/rules/${scale.name}`
  return [
    [`${folder}/recording.yaml`, ruleFile(recording)],
    [`${folder}/alerts.yaml`, ruleFile(alerts)],
    [`${folder}/grafana.yaml`, grafanaAlertRules(scale)],
    [`${folder}/prometheus-rule.yaml`, prometheusRule('hopwhistle', [...recording, ...alerts])],
  ]
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
