/**
 * cAdvisor's metrics of containers. Some runtimes give no container names; the pod as a whole then appears as container
 * `all`.
 */
import { type Aggregation, aggregate, type Matchers } from '../promql.ts'

export const WHOLE_POD = 'all'
const CONTAINER = { container: '!~|POD' }
const POD = { container: '', pod: '!=' }

/**
 * @param ask the expression for these matchers
 * @param by the labels that identify a pod, without `container`
 */
export function ofContainers(
  how: Aggregation,
  ask: (matchers: Matchers) => string,
  by: readonly string[],
  matchers: Matchers = {},
): string {
  const named = aggregate(how, ask({ ...matchers, ...CONTAINER }), [...by, 'container'])
  return orOfPods(named, aggregate(how, ask({ ...POD, ...matchers }), by), by)
}

/** The limit of each container, and their sum for the pod. */
export const limitsOf = (series: string, by: readonly string[]): string => {
  const each = aggregate('max', series, [...by, 'container'])
  return `(${each} or ${wholePod(aggregate('sum', each, by))})`
}

/** The share of periods in which each was throttled. */
export function throttled(
  ask: (metric: string, matchers: Matchers) => string,
  by: readonly string[],
  matchers: Matchers = {},
) {
  const part = (of: Matchers, labels: readonly string[]) => {
    const rate = (metric: string) => aggregate('sum', ask(metric, of), labels)
    return `${rate('container_cpu_cfs_throttled_periods_total')} / (${rate('container_cpu_cfs_periods_total')} > 0)`
  }
  return orOfPods(part({ ...matchers, ...CONTAINER }, [...by, 'container']), part({ ...POD, ...matchers }, by), by)
}

const orOfPods = (named: string, pods: string, by: readonly string[]): string =>
  `(${named} or on (${by.join(', ')}) ${wholePod(pods)})`

const wholePod = (pods: string): string => `label_replace(${pods}, "container", "${WHOLE_POD}", "", "")`
