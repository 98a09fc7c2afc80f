/** The cases as the file that `promtool test rules` reads. */
import { stringify } from 'yaml'
import { ALERT_PREFIX, type Alert, alertName } from '../../src/alerts/alert.ts'
import { runbookUrl } from '../../src/rules/prometheus-rules.ts'
import type { AlertCase, Series } from './alert-case.ts'

export function promtoolTests(
  cases: readonly AlertCase[],
  alerts: readonly Alert[],
  ruleFiles: readonly string[],
): string {
  const tests = cases.flatMap((one, i) => {
    const alert = alerts.find(({ name }) => name === one.alert)
    if (alert === undefined) throw new Error(`there is no alert ${one.alert}`)
    return [test(one, alert, i, 'fires'), test(one, alert, i, 'isQuiet')]
  })
  return stringify({ rule_files: ruleFiles, evaluation_interval: '1m', tests }, { lineWidth: 0 })
}

function test(one: AlertCase, alert: Alert, number: number, way: 'fires' | 'isQuiet') {
  const { afterMinutes, along = [] } = one
  const names = way === 'fires' ? [one.alert, ...along].map((name) => `${ALERT_PREFIX}${name}`) : []
  const atTime = `${afterMinutes}m`
  return {
    name: `${number} ${alertName(alert)} ${way}`,
    interval: '1m',
    input_series: one[way].map(([series, values]: Series) => ({ series, values })),
    alert_rule_test: [
      { eval_time: atTime, alertname: alertName(alert), exp_alerts: way === 'fires' ? [expected(one, alert)] : [] },
    ],
    // Exactly these alerts: one cause pages only once.
    promql_expr_test: [
      {
        expr: `count by (alertname) (ALERTS{alertstate="firing"${way === 'fires' ? '' : `, alertname="${alertName(alert)}"`}})`,
        eval_time: atTime,
        exp_samples: names.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
      },
    ],
  }
}

function expected({ labels, says }: AlertCase, alert: Alert) {
  const runbook = runbookUrl(alert).replace(/\{\{ \$labels\.(\w+) \}\}/, (_, label: string) => labels[label] ?? '')
  return { exp_labels: labels, exp_annotations: { summary: says, description: alert.meaning, runbook_url: runbook } }
}
