/** The values of charts/hopwhistle-monitoring. */
import { GRAFANA_URL } from '@hopwhistle/contract/runbooks.ts'
import type { k8s } from 'cdk8s-plus-27'
import {
  flag,
  image,
  integer,
  labels,
  list,
  name,
  nodePort,
  oneOf,
  quantity,
  resources,
  section,
  text,
  type ValuesOf,
} from '../values/define.ts'
import { NETWORK_PEER, POD_FIELDS, podOf } from './pod-fields.ts'
import { IMAGES } from './versions.ts'

const small = (note: string, memory = '64Mi') =>
  resources(note, { requests: { cpu: '20m', memory: '32Mi' }, limits: { cpu: '500m', memory } })

/** What Helm allows. */
const RELEASE_NAME = /[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/
const URL = /(?:https?:[/][/][^\s${}]*[^\s${}/])?/

/** The folders of dashboards/rules. */
export const RULE_SCALES = ['production', 'demo', 'drill'] as const

export const MONITORING = {
  release: text(
    'hopwhistle',
    'Name of the release of hopwhistle that is monitored, in the same namespace',
    RELEASE_NAME,
  ),
  rules: oneOf(
    RULE_SCALES,
    'production',
    'Time windows of the alerts. demo: minutes instead of days, to see alerts fire; drill: seconds, for tests, with scrapeSeconds 2',
  ),
  runbooksUrl: text(
    '',
    'URL of the folder dashboards/runbooks, for links in alerts; empty: links lead to the board Runbooks of grafana.url',
    URL,
  ),
  ...POD_FIELDS,

  operator: section(
    'For clusters with Prometheus Operator, such as from kube-prometheus-stack: the chart then installs monitors, rules and labelled boards for it, and no Prometheus, Alertmanager and Grafana',
    {
      enabled: flag(false, 'Needs the CRDs of Prometheus Operator'),
      labels: labels(
        'Labels by which its Prometheus selects monitors and rules, such as release: kube-prometheus-stack',
      ),
      dashboardLabels: { ...labels('Labels by which its Grafana finds boards'), fallback: { grafana_dashboard: '1' } },
    },
  ),

  scrapeSeconds: integer(5, 'Scrape interval; for Postgres it is at least 5 s', { min: 1, max: 300 }),

  prometheus: section('Prometheus, which stores metrics and evaluates alerts', {
    image: image(IMAGES.prometheus, 'Prometheus 2.42 or newer'),
    retention: text('15d', 'How long metrics are kept', /\d+(?:h|d|w|y)/),
    storage: quantity('20Gi', 'Size of its volume'),
    storageClass: name('Class of the volume; empty: the cluster’s default'),
    resources: resources('Resources of its pod', {
      requests: { cpu: '100m', memory: '256Mi' },
      limits: { cpu: '2', memory: '2Gi' },
    }),
    pod: podOf('its pod'),
    serviceType: oneOf(['ClusterIP', 'NodePort', 'LoadBalancer'], 'ClusterIP', 'How it is reached: port 9090'),
    nodePort: nodePort('Port of every node; 0: Kubernetes chooses'),
  }),

  alertmanager: section('Alertmanager, which sends notifications', {
    image: image(IMAGES.alertmanager, 'Alertmanager 0.25 or newer'),
    existingSecret: name(
      'Name of a Secret with your alertmanager.yml, which has receivers and their passwords; empty: alerts are shown, but no notification is sent',
    ),
    resources: small('Resources of its pod', '128Mi'),
    pod: podOf('its pod'),
  }),

  grafana: section('Grafana, which shows the boards', {
    enabled: flag(true, 'Whether Grafana is installed'),
    image: image(IMAGES.grafana, 'Grafana 11 or newer'),
    existingSecret: name('Name of a Secret with the admin-password; empty: the grafana-password of the release'),
    url: text(GRAFANA_URL, 'Its URL for people, for links in alerts', URL),
    alerts: section('The same alerts as in Prometheus, evaluated by Grafana, for notifications from Grafana', {
      enabled: flag(true, 'Whether Grafana evaluates them'),
      existingSecret: name(
        'Name of a Secret with page-webhook and ticket-webhook, the URLs for notifications; empty: alerts are shown, but no notification is sent',
      ),
    }),
    resources: resources('Resources of its pod', {
      requests: { cpu: '50m', memory: '128Mi' },
      limits: { cpu: '1', memory: '512Mi' },
    }),
    pod: podOf('its pod'),
    serviceType: oneOf(['ClusterIP', 'NodePort', 'LoadBalancer'], 'ClusterIP', 'How it is reached: port 3000'),
    nodePort: nodePort('Port of every node; 0: Kubernetes chooses'),
  }),

  postgres: section('Metrics of Postgres, read with the role hopwhistle_monitor, which cannot read rows', {
    enabled: flag(true, 'Whether they are read'),
    image: image(IMAGES.postgresExporter, 'postgres_exporter 0.11 or newer'),
    primary: text('', 'host:port of the primary; empty: the primary of the release'),
    replica: section('The replica', {
      enabled: flag(true, 'Whether there is a replica'),
      address: text('', 'host:port; empty: the replica of the release'),
    }),
    sslmode: oneOf(
      ['disable', 'require', 'verify-full'],
      'disable',
      'How the connection is secured, as sslmode of libpq',
    ),
    existingSecret: name('Name of a Secret with the monitor-password; empty: the Secret of the release'),
    resources: small('Resources of each exporter'),
    pod: podOf('pods of the exporters'),
  }),

  redis: section('Metrics of Redis', {
    enabled: flag(true, 'Whether they are read'),
    image: image(IMAGES.redisExporter, 'redis_exporter 1.45 or newer'),
    address: text('', 'host:port; empty: the Redis of the release'),
    existingSecret: name('Name of a Secret with the redis-password; empty: the Secret of the release'),
    resources: small('Resources of the exporter'),
    pod: podOf('its pod'),
  }),

  kubernetes: section('Metrics of pods from Kubernetes. kube-prometheus-stack has both already', {
    cadvisor: section('CPU, memory and throttling of each container, read from the kubelets', {
      enabled: flag(true, 'Whether they are read; the installation needs the right to create a ClusterRole'),
      kubelet: text(
        '',
        'host:port of the kubelet, for a cluster with one node; empty: all nodes, found through the Kubernetes API',
      ),
    }),
    stateMetrics: section('Limits and restarts of pods, autoscalers and load tests, from kube-state-metrics', {
      enabled: flag(true, 'Whether it runs; the installation needs the right to create a Role'),
      image: image(IMAGES.kubeStateMetrics, 'kube-state-metrics 2.10 or newer'),
      resources: small('Resources of its pod'),
      pod: podOf('its pod'),
    }),
  }),

  networkPolicies: section(
    'Network policies that deny all traffic of these pods, except the connections that they need',
    {
      enabled: flag(true, 'Needs a network plugin that enforces network policies'),
      usersFrom: list<k8s.NetworkPolicyPeer>(
        [],
        'Who may open Prometheus and Grafana: a list of NetworkPolicy peers; empty: everyone',
        NETWORK_PEER,
      ),
      scrapersFrom: list<k8s.NetworkPolicyPeer>(
        [],
        'Who else may read the exporters, such as the Prometheus of an operator: a list of NetworkPolicy peers',
        NETWORK_PEER,
      ),
    },
  ),
}

export type MonitoringValues = ValuesOf<typeof MONITORING>
