/**
 * What a cluster asks of the pods of a run: pull secrets, nodes, labels, resources and the like. The chart of the load
 * tests keeps it in a ConfigMap, for runs that are made by a command: JSON of a `StoredPod` for each kind of pod.
 */
import { PARTS, type Part, type PodPart, partLabels } from './test-run.ts'

/** Of that ConfigMap, with the name of the release. */
export const STORED_PODS_LABEL = 'hopwhistle.io/pods-of'

/** What was not given is null or empty. */
export type StoredPod = {
  readonly image: string
  readonly imagePullPolicy: string
  readonly resources: {
    readonly requests: Readonly<Record<'cpu' | 'memory', string>>
    readonly limits: { readonly cpu?: string; readonly memory: string }
  }
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** Of the pod, by the names that Kubernetes and a TestRun share. */
  readonly spec: Readonly<Record<string, unknown>>
  readonly env: readonly unknown[]
  readonly envFrom: readonly unknown[] | null
  /** The environment variable with the key of the API; of runners. */
  readonly apiKey?: unknown
}

export type StoredPods = Readonly<Record<Part, StoredPod>>

/** What `JSON` makes of the amounts of values: a number of cores, and null for no limit. */
export function parseStoredPod(json: string): StoredPod {
  const pod = JSON.parse(json)
  const amounts = (given: Readonly<Record<string, string | number | null>>) =>
    Object.fromEntries(Object.entries(given).flatMap(([name, it]) => (it === null ? [] : [[name, String(it)]])))
  const { requests, limits } = pod.resources
  return { ...pod, resources: { requests: amounts(requests), limits: amounts(limits) } }
}

export const byPart = <T>(of: (part: Part) => T) =>
  Object.fromEntries(PARTS.map((part) => [part, of(part)])) as Record<Part, T>

/** For a TestRun of a scenario. Images, and the resources of runners, are for the command to say. */
export function podsLike(stored: StoredPods, scenario: string) {
  return {
    pods: byPart((part): PodPart => {
      const { labels, annotations, spec, env, envFrom } = stored[part]
      return {
        labels: { ...labels, ...partLabels(scenario, part) },
        annotations,
        spec: Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== null)),
        moreEnv: env,
        container: { env, ...(envFrom === null ? {} : { envFrom }) },
      }
    }),
    imagePullPolicy: stored.runner.imagePullPolicy,
    initializerResources: stored.initializer.resources,
    starterResources: stored.starter.resources,
    apiKeyVariable: stored.runner.apiKey,
  }
}
