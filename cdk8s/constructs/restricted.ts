/** What Pod Security calls `restricted`, and a read-only root besides. */
import type { k8s } from 'cdk8s-plus-27'
import type { Templated } from '../values/kube-object.ts'
import type { Value } from '../values/value.ts'

/** The user `node` of the API's image. */
export const API_USER = 1000

/** For a pod whose containers run as this user. Volumes belong to its group. */
export function restrictedPod(user: number | Value<number>) {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
  } satisfies Templated<Partial<k8s.PodSpec>>
}

export const RESTRICTED_CONTAINER = {
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  },
} satisfies Templated<Partial<k8s.Container>>

/** A folder in memory or on the node that is gone with the pod. */
export function scratch(name: string, mountPath: string, sizeLimit: string, medium: '' | 'Memory' = '') {
  return {
    volume: { name, emptyDir: { sizeLimit, ...(medium === '' ? {} : { medium }) } },
    mount: { name, mountPath },
  }
}
