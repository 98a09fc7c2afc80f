import { k8s } from 'cdk8s-plus-27'
import type { Construct } from 'constructs'
import { nameWithin } from '../values/compute.ts'
import { RELEASE } from '../values/define.ts'
import { fingerprint } from '../values/fingerprint.ts'
import { kubeObject, type Templated } from '../values/kube-object.ts'
import { type Component, partOf } from './component.ts'

/** Of `-`, six digits of a revision, `-` and a fingerprint. */
const SUFFIX = 16
const LONGEST = 63

/**
 * Argo CD creates a Job again with each sync, and does not miss it once Kubernetes has removed it. Helm does not read this:
 * a hook of its own would wait for pods that wait for the Job.
 */
const WITH_EACH_SYNC = {
  'argocd.argoproj.io/hook': 'Sync',
  'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
}

/**
 * A Job that is run to its end at every installation, upgrade and rollback: `mine-migrate-3-1a2b3c4d`.
 *
 * A Job cannot be changed, so one that would run something else has another name. The revision is Helm's, which so runs
 * again what failed; what renders without a cluster always says 1.
 */
export function job(scope: Construct, id: string, component: Component, spec: Templated<k8s.JobSpec>): void {
  const part = partOf(component)
  const release = nameWithin(RELEASE.name, LONGEST - SUFFIX - part.length - 1)
  const name = `${release}-${part}-${RELEASE.revision}-${fingerprint(spec)}`
  kubeObject(scope, id, k8s.KubeJob, {
    metadata: { name, labels: component.labels, annotations: WITH_EACH_SYNC },
    spec,
  })
}
