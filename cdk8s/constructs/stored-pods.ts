import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import { STORED_PODS_LABEL, type StoredPod } from '../../loadtests/kubernetes/stored-pods.ts'
import { LOADTEST_LABELS, PART_LABEL, PARTS, type Part } from '../../loadtests/kubernetes/test-run.ts'
import type { LoadtestsValues } from '../chart-values/loadtests-values.ts'
import { RELEASE } from '../values/define.ts'
import { jsonText } from '../values/json-text.ts'
import { kubeObject } from '../values/kube-object.ts'
import { nameIn } from './component.ts'
import { apiKeyVariable, podOf } from './load-test-pods.ts'
import { imageOf } from './pod.ts'
import type { RunPods } from './runner-policies.ts'

/** What the values say of pods, for runs that `bench run --cluster` makes in this namespace. */
export class StoredPods extends Construct {
  /** Those of such runs. */
  readonly pods: RunPods

  constructor(scope: Construct, values: LoadtestsValues) {
    super(scope, 'pods')
    const selector = { [STORED_PODS_LABEL]: `${RELEASE.name}` }
    const labels = { ...LOADTEST_LABELS, ...selector }
    this.pods = { name: nameIn(RELEASE.name, 'pods', 'object'), selector, labels }
    const { images, imagePullPolicy, initializerResources, starterResources, runnerResources } = values
    const resources = { initializer: initializerResources, starter: starterResources, runner: runnerResources }
    const stored = (part: Part): { readonly [K in keyof StoredPod]: unknown } => {
      const own = podOf(values, part, { ...labels, [PART_LABEL]: part })
      return {
        image: imageOf(values, part === 'starter' ? images.starter : images.k6),
        imagePullPolicy,
        resources: resources[part],
        labels: own.labels,
        annotations: own.annotations,
        spec: own.spec,
        ...own.container,
        ...(part === 'runner' ? { apiKey: apiKeyVariable(values) } : {}),
      }
    }
    kubeObject(this, 'stored', k8s.KubeConfigMap, {
      metadata: { name: this.pods.name, labels },
      data: Object.fromEntries(PARTS.map((part) => [part, jsonText(stored(part))])),
    })
  }
}
