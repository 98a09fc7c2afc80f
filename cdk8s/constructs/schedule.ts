import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import { REMOTE_WRITE_URL } from '../../loadtests/kubernetes/remote-write.ts'
import { LOADTEST_LABELS, PART_LABEL, TEST_RUN_GROUP, TEST_RUN_PLURAL } from '../../loadtests/kubernetes/test-run.ts'
import type { LoadtestsValues } from '../chart-values/loadtests-values.ts'
import { choose } from '../values/compute.ts'
import { RELEASE } from '../values/define.ts'
import { kubeObject, type Templated } from '../values/kube-object.ts'
import { toExpression, Value } from '../values/value.ts'
import { Conditional, each, when } from '../values/when.ts'
import { allow, DNS } from './allow.ts'
import { type Component, nameIn } from './component.ts'
import { given } from './given.ts'
import { imageOf, pod } from './pod.ts'
import { NEXT_TO_REPORTS, REPORTS_PATH, REPORTS_USER, REPORTS_VOLUME } from './reports.ts'
import { RESTRICTED_CONTAINER, restrictedPod, scratch } from './restricted.ts'
import { grant, serviceAccount } from './rights.ts'

const BENCH = 'bench'
/** Exit code of a run whose figures are valid and missed a target. 1 is what Node ends with when it cannot start it. */
const MISSED = 3
/** A failed Job alerts as long as it is there. */
const KEEP_SECONDS = 86_400
/** With the waiting for other runs. The longest scenario takes ten minutes. */
const LONGEST_SECONDS = 4 * 3_600

/** What it does in its own namespace: it makes TestRuns, follows them, reads what they leave, and keeps results. */
const OWN_RIGHTS = [
  { apiGroups: [TEST_RUN_GROUP], resources: [TEST_RUN_PLURAL], verbs: ['create', 'get', 'list', 'delete'] },
  { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'list', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['pods', 'events'], verbs: ['list'] },
  { apiGroups: [''], resources: ['pods/log', 'pods/proxy'], verbs: ['get'] },
  // The CPU of runners, without a right to ask the kubelets, which is one over all pods of all nodes.
  { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] },
] satisfies readonly k8s.PolicyRule[]

type Affinity = Readonly<Record<string, unknown>>

/** In that of the platform: it reads the metrics of the API's pods, and no Secret. */
const PLATFORM_RIGHTS = [
  { apiGroups: [''], resources: ['services'], verbs: ['get'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
  { apiGroups: [''], resources: ['pods/portforward'], verbs: ['get', 'create'] },
] satisfies readonly k8s.PolicyRule[]

/**
 * Runs scenarios at fixed times with `bench run --cluster`, one run at a time. Its Job fails when a target was missed or
 * the run was invalid, and the reason of the failure says which: `PodFailurePolicy` is a missed target.
 */
export class Schedule extends Construct {
  constructor(scope: Construct, values: LoadtestsValues) {
    super(scope, 'runs')
    const { schedule, reports, metricsUrl, networkPolicies } = values
    const name = nameIn(RELEASE.name, 'load-test', 'cronJob')
    const selector = { 'app.kubernetes.io/instance': `${RELEASE.name}`, [PART_LABEL]: 'schedule' }
    const labels = { ...LOADTEST_LABELS, ...selector }
    const component: Component = { name, selector: { ...LOADTEST_LABELS, ...selector }, labels }
    serviceAccount(this, component)
    grant(this, component, OWN_RIGHTS, { namespace: RELEASE.namespace })
    const { platformNamespace } = schedule
    const platform = new Conditional(this, 'platform', given(platformNamespace))
    const ofPlatform = { labels, name: `${name}-platform` }
    grant(platform, ofPlatform, PLATFORM_RIGHTS, { account: name, namespace: platformNamespace })
    const policies = new Conditional(this, 'network-policies', networkPolicies.enabled)
    allow(policies, component, {
      ingress: [],
      egress: [DNS, { ports: networkPolicies.apiServerPorts }],
    })

    const own = pod(values, schedule.pod, {
      labels,
      serviceAccountName: new Value<string>(toExpression(name)),
      affinity: choose<Affinity>(reports.enabled, { podAffinity: NEXT_TO_REPORTS }, {}),
    })
    const temporary = scratch('tmp', '/tmp', '256Mi')
    const spec: Templated<k8s.JobSpec> = {
      backoffLimit: 0,
      activeDeadlineSeconds: LONGEST_SECONDS,
      ttlSecondsAfterFinished: KEEP_SECONDS,
      podFailurePolicy: {
        rules: [
          {
            action: 'FailJob',
            onExitCodes: { containerName: BENCH, operator: 'In', values: [MISSED] },
            onPodConditions: [],
          },
        ],
      },
      template: {
        metadata: { labels: own.labels, annotations: own.annotations },
        spec: {
          ...restrictedPod(REPORTS_USER),
          ...own.spec,
          automountServiceAccountToken: true,
          restartPolicy: 'Never',
          containers: [
            {
              ...RESTRICTED_CONTAINER,
              name: BENCH,
              image: imageOf(values, schedule.image),
              imagePullPolicy: values.imagePullPolicy,
              args: [
                ...['run', '--cluster', '--wait', '--release', `${RELEASE.name}`, '--results-dir', '/tmp/results'],
                ...['--api-url', `${values.apiUrl}`, '--profile', `${values.profile}`],
                ...['--parallelism', `${values.parallelism}`, '--keep-results', `${schedule.keepResults}`],
                ...['--missed-exit-code', String(MISSED)],
                ...['--keep-reports', REPORTS_PATH].map((argument) => when(reports.enabled, argument)),
                each(schedule.scenarios),
              ],
              env: [
                { name: 'TENANT_ID', value: values.tenantId },
                when(given(metricsUrl), { name: REMOTE_WRITE_URL, value: metricsUrl }),
                each(own.container.env),
              ],
              envFrom: own.container.envFrom,
              resources: schedule.resources,
              volumeMounts: [
                temporary.mount,
                when(reports.enabled, { name: REPORTS_VOLUME.name, mountPath: REPORTS_PATH }),
              ],
            },
          ],
          volumes: [temporary.volume, when(reports.enabled, REPORTS_VOLUME)],
        },
      },
    }
    kubeObject(this, 'cron-job', k8s.KubeCronJob, {
      metadata: { name, labels },
      spec: {
        schedule: schedule.cron,
        timeZone: schedule.timeZone,
        concurrencyPolicy: 'Forbid',
        startingDeadlineSeconds: 3600,
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 3,
        jobTemplate: { metadata: { labels }, spec },
      },
    })
  }
}
