import { k8s } from 'cdk8s-plus-27'
import { both, choose, empty, fileContent, greater, merged, not, product, sha256 } from '../../values/compute.ts'
import { flag, integer, list, oneOf, RELEASE, resources, text, textMap } from '../../values/define.ts'
import type { HelmChart } from '../../values/helm-chart.ts'
import { kubeObject } from '../../values/kube-object.ts'
import { Refusal } from '../../values/refusal.ts'
import { Conditional, when } from '../../values/when.ts'

const EXAMPLE = {
  replicas: integer(2, 'Pods', { min: 1, max: 50 }),
  bytes: integer(2_147_483_648, 'A number that Go would write as 2.147483648e+09', { min: 0 }),
  image: text('example/app:1', 'What runs'),
  level: oneOf(['info', 'debug'], 'info', 'What is logged'),
  expose: flag(true, 'Whether there is a Service'),
  debug: flag(false, 'Whether there is a port for a debugger'),
  labels: textMap({ team: 'calls' }, 'Labels of everything'),
  tolerations: list([], 'Taints that are no obstacle', { type: 'object' }),
  resources: resources('Of each pod', {
    requests: { cpu: '100m', memory: '64Mi' },
    limits: { cpu: '1', memory: '128Mi' },
  }),
}

/** Uses every feature of the library once. */
export const example: HelmChart<typeof EXAMPLE> = {
  name: 'example',
  version: '1.0.0',
  appVersion: '1',
  description: 'An example',
  title: 'Values of an example.',
  values: EXAMPLE,
  files: { 'files/dashboard.json': '{"legend": "{{pod}}", "yes": "on"}\n' },
  build(chart, values) {
    const name = `${RELEASE.name}-app`
    const app = { 'app.kubernetes.io/name': 'app', 'app.kubernetes.io/instance': `${RELEASE.name}` }
    const labels = merged(app, values.labels)
    new Refusal(
      chart,
      'too many',
      greater(product(values.replicas, 10), 100),
      `${values.replicas} replicas × 10 is more than 100 %`,
    )
    kubeObject(chart, 'deployment', k8s.KubeDeployment, {
      metadata: { name, labels, annotations: { legend: '{{pod}} {{`x`}}', configuration: sha256(`${values.bytes}`) } },
      spec: {
        replicas: values.replicas,
        selector: { matchLabels: app },
        template: {
          metadata: { labels },
          spec: {
            tolerations: when(not(empty(values.tolerations)), values.tolerations),
            containers: [
              {
                name: 'app',
                image: values.image,
                resources: values.resources,
                env: [
                  { name: 'BYTES', value: `${values.bytes}` },
                  { name: 'SPEECH', value: `"${values.level}" at\n100 % \\ {{ }}` },
                  { name: 'LITERAL', value: 'on' },
                  when(values.debug, { name: 'DEBUG', value: 'yes' }),
                  { name: 'VERBOSE', value: choose(values.debug, 'more', values.level) },
                ],
                ports: when(values.debug, [{ containerPort: 9229 }, { containerPort: 80 }], [{ containerPort: 80 }]),
              },
            ],
          },
        },
      },
    })
    const exposed = new Conditional(chart, 'exposed', values.expose)
    kubeObject(exposed, 'service', k8s.KubeService, {
      metadata: { name, labels },
      spec: { selector: app, ports: [{ port: 80, targetPort: 'http' }] },
    })
    const debugged = new Conditional(exposed, 'debugged', both(values.debug, greater(values.replicas, 1)))
    kubeObject(debugged, 'service', k8s.KubeService, {
      metadata: { name: `${name}-debug`, labels },
      spec: { selector: app, ports: [{ port: 9229 }] },
    })
    kubeObject(chart, 'script', k8s.KubeConfigMap, {
      metadata: { name, labels },
      data: {
        'run.sh': 'set -eu\n\necho "{{ not a template }}"\n',
        'dashboard.json': fileContent('files/dashboard.json'),
      },
    })
  },
}
