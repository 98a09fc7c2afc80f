/** The values of charts/hopwhistle-monitoring. */
import { GRAFANA_URL } from '@hopwhistle/contract/runbooks.ts'
import type { k8s } from 'cdk8s-plus-27'
import {
  flag,
  integer,
  list,
  oneOf,
  quantity,
  resources,
  section,
  text,
  textMap,
  type ValuesOf,
} from '../values/define.ts'
import { POD_FIELDS, podOf } from './pod-fields.ts'
import { IMAGES } from './versions.ts'

const small = (note: string, memory = '64Mi') =>
  resources(note, { requests: { cpu: '20m', memory: '32Mi' }, limits: { cpu: '500m', memory } })

/** What Helm allows. */
const RELEASE_NAME = /[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/
const URL = /(?:https?:[/][/][^\s${}]*[^\s${}/])?/

/** The folders of dashboards/rules. */
export const RULE_SCALES = ['production', 'demo', 'drill'] as const

export const MONITORING = {
  release: text('hopwhistle', 'Name of the release that is watched; it is in the same namespace', RELEASE_NAME),
  rules: oneOf(
    RULE_SCALES,
    'production',
    'Windows of the alerts; demo: minutes instead of days, to see one fire; drill: seconds, for tests, with scrapeSeconds 2',
  ),
  runbooksUrl: text(
    '',
    'Where the files of dashboards/runbooks can be read, for links in alerts; empty: on the board Runbooks of grafana.url',
    URL,
  ),
  ...POD_FIELDS,

  operator: section(
    'Where Prometheus Operator runs, such as with kube-prometheus-stack: monitors, rules and labelled boards for it, and no Prometheus, Alertmanager and Grafana of our own',
    {
      enabled: flag(false, 'Needs its resource definitions'),
      labels: textMap(
        {},
        'Labels by which its Prometheus chooses monitors and rules, such as release: kube-prometheus-stack',
      ),
      dashboardLabels: textMap({ grafana_dashboard: '1' }, 'Labels by which its Grafana finds boards'),
    },
  ),

  scrapeSeconds: integer(5, 'Between two looks at each target; at Postgres at least 5', { min: 1, max: 300 }),

  prometheus: section('Keeps what is measured, and finds what is wrong', {
    image: text(IMAGES.prometheus, 'Prometheus 2.42 or newer'),
    retention: text('15d', 'How long it keeps everything', /\d+(?:h|d|w|y)/),
    storage: quantity('20Gi', 'Its volume'),
    storageClass: text('', 'Class of the volume; empty: the cluster’s default'),
    resources: resources('Of its pod', {
      requests: { cpu: '100m', memory: '256Mi' },
      limits: { cpu: '2', memory: '2Gi' },
    }),
    pod: podOf('its pod'),
    serviceType: oneOf(['ClusterIP', 'NodePort', 'LoadBalancer'], 'ClusterIP', 'How it is reached: port 9090'),
    nodePort: integer(0, 'Port of every node; 0: Kubernetes chooses', { min: 0, max: 32767 }),
  }),

  alertmanager: section('Tells people', {
    image: text(IMAGES.alertmanager, 'Alertmanager 0.25 or newer'),
    existingSecret: text(
      '',
      'Name of a Secret with your alertmanager.yml, which has addresses and passwords in it; empty: alerts are shown and nobody is told',
    ),
    resources: small('Of its pod', '128Mi'),
    pod: podOf('its pod'),
  }),

  grafana: section('Shows it', {
    enabled: flag(true, 'Whether there is one'),
    image: text(IMAGES.grafana, 'Grafana 11 or newer'),
    existingSecret: text('', 'Name of a Secret with the admin-password; empty: the grafana-password of the release'),
    url: text(GRAFANA_URL, 'Where people open it, for links in alerts', URL),
    alerts: section('The alerts that Prometheus has, evaluated by Grafana as well, for who wants to be told by it', {
      enabled: flag(true, 'Whether it has them'),
      existingSecret: text(
        '',
        'Name of a Secret with page-webhook and ticket-webhook, the URLs that are called; empty: alerts are shown and nobody is told',
      ),
    }),
    resources: resources('Of its pod', {
      requests: { cpu: '50m', memory: '128Mi' },
      limits: { cpu: '1', memory: '512Mi' },
    }),
    pod: podOf('its pod'),
    serviceType: oneOf(['ClusterIP', 'NodePort', 'LoadBalancer'], 'ClusterIP', 'How it is reached: port 3000'),
    nodePort: integer(0, 'Port of every node; 0: Kubernetes chooses', { min: 0, max: 32767 }),
  }),

  postgres: section('Statistics of Postgres, read as hopwhistle_monitor, which sees no rows', {
    enabled: flag(true, 'Whether they are read'),
    image: text(IMAGES.postgresExporter, 'postgres_exporter 0.11 or newer'),
    primary: text('', 'host:port of the primary; empty: that of the release'),
    replica: section('Of the replica', {
      enabled: flag(true, 'Whether there is one'),
      address: text('', 'host:port; empty: that of the release'),
    }),
    sslmode: oneOf(['disable', 'require', 'verify-full'], 'disable', 'How far the server is trusted'),
    existingSecret: text('', 'Name of a Secret with the monitor-password; empty: that of the release'),
    resources: small('Of each exporter'),
    pod: podOf('pods of the exporters'),
  }),

  redis: section('Statistics of Redis', {
    enabled: flag(true, 'Whether they are read'),
    image: text(IMAGES.redisExporter, 'redis_exporter 1.45 or newer'),
    address: text('', 'host:port; empty: that of the release'),
    existingSecret: text('', 'Name of a Secret with the redis-password; empty: that of the release'),
    resources: small('Of the exporter'),
    pod: podOf('its pod'),
  }),

  kubernetes: section('What only Kubernetes knows of the pods; an operator’s stack has both already', {
    cadvisor: section(
      'CPU and memory that each container uses, and how often it is held back, read from the kubelets',
      {
        enabled: flag(true, 'Whether they are read; installing that needs the right to make a ClusterRole'),
        kubelet: text('', 'host:port of the only node’s; empty: those of all nodes, which Kubernetes is asked for'),
      },
    ),
    stateMetrics: section('Limits and restarts of pods, autoscalers, load tests, by kube-state-metrics', {
      enabled: flag(true, 'Whether it runs; installing that needs the right to make a Role'),
      image: text(IMAGES.kubeStateMetrics, 'kube-state-metrics 2.10 or newer'),
      resources: small('Of its pod'),
      pod: podOf('its pod'),
    }),
  }),

  networkPolicies: section('Nothing may talk to these pods, nor they to anything, but on the paths that they need', {
    enabled: flag(true, 'Needs a network that enforces them'),
    usersFrom: list<k8s.NetworkPolicyPeer>(
      [],
      'Who may open Prometheus and Grafana, as the peers of a NetworkPolicy; empty: everybody',
      { type: 'object' },
    ),
    scrapersFrom: list<k8s.NetworkPolicyPeer>(
      [],
      'Who may read from the exporters beside our Prometheus, such as the operator’s',
      { type: 'object' },
    ),
  }),
}

export type MonitoringValues = ValuesOf<typeof MONITORING>
