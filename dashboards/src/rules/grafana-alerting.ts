/**
 * The same alerts for a Grafana that evaluates them itself, with their contact points: the contents of its folder
 * provisioning/alerting. They read recorded series, so Prometheus still needs the recording rules.
 */
import { NotificationPolicyBuilder, QueryBuilder, RuleBuilder } from '@grafana/grafana-foundation-sdk/alerting'
import { TypeThresholdBuilder } from '@grafana/grafana-foundation-sdk/expr'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { type Alert, alertName, expression, type Severity } from '../alerts/alert.ts'
import { alertGroups } from '../alerts/alert-groups.ts'
import { BOARD_UIDS } from '../board-names.ts'
import type { Scale } from '../scale.ts'
import { secondsOf } from '../scale.ts'
import { runbookUrl, toYaml } from './prometheus-rules.ts'

export const DATASOURCE_UID = 'hopwhistle-prometheus'
const FOLDER = 'Hopwhistle'
const LOOK_BACK_SECONDS = 600

/** Grafana's name for the data source that evaluates expressions. */
const EXPRESSIONS_UID = '__expr__'

export const grafanaAlertRules = (scale: Scale): string =>
  toYaml({
    apiVersion: 1,
    groups: alertGroups(scale).map(({ name, alerts }) => ({
      orgId: 1,
      name: `hopwhistle-${name}`,
      folder: FOLDER,
      interval: scale.dividedBy === 1 ? '1m' : '10s',
      rules: alerts.map((alert) => fileRule(alert, name)),
    })),
  })

function fileRule(alert: Alert, group: string): Readonly<Record<string, unknown>> {
  const title = alertName(alert)
  const rule = new RuleBuilder(title)
    .uid(`hopwhistle-${kebab(alert.name)}`)
    .folderUID(FOLDER)
    .ruleGroup(group)
    .orgID(1)
    .condition('B')
    .withQuery(
      new QueryBuilder('A')
        .datasourceUid(DATASOURCE_UID)
        .relativeTimeRange({ from: LOOK_BACK_SECONDS, to: 0 })
        .model(new DataqueryBuilder().expr(expression(alert)).instant().refId('A')),
    )
    // The query returns only series that fire, and no value is below 0.
    .withQuery(
      new QueryBuilder('B')
        .datasourceUid(EXPRESSIONS_UID)
        .relativeTimeRange({ from: LOOK_BACK_SECONDS, to: 0 })
        .model(
          new TypeThresholdBuilder()
            .refId('B')
            .expression('A')
            .datasource({ type: EXPRESSIONS_UID, uid: EXPRESSIONS_UID })
            .conditions([{ evaluator: { type: 'gt', params: [-1] } }]),
        ),
    )
    .forDuration(`${secondsOf(alert.lasting)}s`)
    .noDataState('OK')
    .execErrState('Error')
    .labels({ severity: alert.severity })
    .annotations({
      summary: alert.summary.replaceAll('$value', '$values.A.Value'),
      description: alert.meaning,
      runbook_url: runbookUrl(alert),
      __dashboardUid__: BOARD_UIDS[alert.board],
    })
    .build()
  // In a file, group, folder and organisation come before the rules.
  const { folderUID: _folder, ruleGroup: _group, orgID: _org, ...rest } = rule
  return rest
}

const kebab = (name: string): string => name.replaceAll(/(?!^)([A-Z])/g, '-$1').toLowerCase()

const SEVERITIES: readonly Severity[] = ['page', 'ticket']
const receiver = (severity: Severity) => `hopwhistle-${severity}`

/** Two webhooks. Grafana reads their addresses from its environment; the user provides what answers there. */
export const contactPoints = (): string =>
  toYaml({
    apiVersion: 1,
    contactPoints: SEVERITIES.map((severity) => ({
      orgId: 1,
      name: receiver(severity),
      receivers: [
        {
          uid: receiver(severity),
          type: 'webhook',
          settings: { url: `$__env{HOPWHISTLE_${severity.toUpperCase()}_WEBHOOK}`, httpMethod: 'POST' },
          disableResolveMessage: false,
        },
      ],
    })),
  })

/** Pages are sent at once and repeated every 4 h; tickets are collected and sent once a day. */
export const notificationPolicy = (): string => {
  const route = (severity: Severity) =>
    new NotificationPolicyBuilder()
      .receiver(receiver(severity))
      .objectMatchers([['severity', '=', severity]] as never)
      .groupWait(severity === 'page' ? '10s' : '5m')
      .groupInterval('5m')
      .repeatInterval(severity === 'page' ? '4h' : '24h')
  const root = new NotificationPolicyBuilder()
    .receiver(receiver('ticket'))
    .groupBy(['alertname', 'namespace', 'release'])
    .groupWait('30s')
    .groupInterval('5m')
    .repeatInterval('24h')
    .routes(SEVERITIES.map(route))
    .build()
  return toYaml({ apiVersion: 1, policies: [{ orgId: 1, ...root }] })
}
