/** Rule groups as Prometheus reads them, from a file or from a PrometheusRule of its operator. */
import { GRAFANA_URL } from '@hopwhistle/contract/runbooks.ts'
import { stringify } from 'yaml'
import { type Alert, alertName, expression } from '../alerts/alert.ts'
import { alertGroups } from '../alerts/alert-groups.ts'
import { runbookLink } from '../runbook-link.ts'
import type { Scale } from '../scale.ts'
import { type Recording, recordingGroups } from './recordings.ts'

type Rule = Readonly<Record<string, unknown>>
export type RuleGroup = { readonly name: string; readonly interval?: string; readonly rules: readonly Rule[] }

/** For readers of the alert outside Grafana. */
export const runbookUrl = ({ runbook, section }: Alert): string =>
  `${GRAFANA_URL}${runbookLink(runbook)}${section === undefined ? '' : `#${section}`}`

export const recordingRuleGroups = (scale: Scale): readonly RuleGroup[] =>
  recordingGroups(scale).map(({ name, interval, recordings }) => ({
    name: `hopwhistle-recording-${name}`,
    interval,
    rules: recordings.map(({ record, expr, labels }: Recording) => ({
      record,
      expr,
      ...(labels === undefined ? {} : { labels }),
    })),
  }))

export const alertRuleGroups = (scale: Scale): readonly RuleGroup[] =>
  alertGroups(scale).map(({ name, alerts }) => ({
    name: `hopwhistle-${name}`,
    ...(scale.every === undefined ? {} : { interval: scale.every }),
    rules: alerts.map((alert) => ({
      alert: alertName(alert),
      expr: expression(alert),
      for: alert.lasting,
      labels: { severity: alert.severity },
      annotations: { summary: alert.summary, description: alert.meaning, runbook_url: runbookUrl(alert) },
    })),
  }))

export const ruleFile = (groups: readonly RuleGroup[]): string => toYaml({ groups })

export const prometheusRule = (name: string, groups: readonly RuleGroup[]): string =>
  toYaml({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name, labels: { 'app.kubernetes.io/name': 'hopwhistle', 'app.kubernetes.io/part-of': 'hopwhistle' } },
    spec: { groups },
  })

/** Long expressions stay on one line, so that a search finds them. Methods of Grafana's builders are left out. */
export function toYaml(value: unknown): string {
  const data: unknown = JSON.parse(JSON.stringify(value))
  return `# Written by npm run dashboards.\n${stringify(data, { lineWidth: 0, aliasDuplicateObjects: false })}`
}
