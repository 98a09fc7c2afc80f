/** Reads what a kubelet tells at /metrics/cadvisor: Prometheus's text, with the time of each look at the end of a line. */

export type PodUse = {
  readonly namespace: string
  readonly pod: string
  /** Unix milliseconds of the kubelet's look at the pod. */
  readonly at: number
  readonly cpuSeconds: number
  readonly memoryBytes: number
  /**
   * The kernel's periods so far and those in which it was throttled, of the pod and of each of its containers by the
   * path of its cgroup: any of them may have the limit that it runs into.
   */
  readonly periods: ReadonlyMap<string, { readonly all: number; readonly throttled: number; readonly at: number }>
}

export type NodeUse = { readonly cores: number; readonly cpuSeconds: number; readonly at: number }

type Group = {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  readonly at: number
  readonly values: Record<string, number>
}

const CPU = 'container_cpu_usage_seconds_total'
const MEMORY = 'container_memory_working_set_bytes'
const PERIODS = 'container_cpu_cfs_periods_total'
const THROTTLED = 'container_cpu_cfs_throttled_periods_total'
const CORES = 'machine_cpu_cores'
const WANTED: ReadonlySet<string> = new Set([CPU, MEMORY, PERIODS, THROTTLED, CORES])

const LINE = /^\w+\{(.*)\} (\S+)(?: (\d+))?$/
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g

export function readCadvisor(text: string): { readonly node: NodeUse; readonly pods: readonly PodUse[] } {
  const { cores, groups } = readGroups(text)
  const root = groups.get('/')
  const pods = [...groups].flatMap(([id, { namespace, pod, container, at, values }]) => {
    // The pod's own cgroup, which holds all of its containers; not every runtime lets those be named.
    if (pod === '' || container !== '') return []
    const own = [...groups].filter(([other]) => other === id || other.startsWith(`${id}/`))
    const periods = new Map(
      own.map(([other, group]) => [
        other,
        { all: group.values[PERIODS] ?? 0, throttled: group.values[THROTTLED] ?? 0, at: group.at },
      ]),
    )
    return [{ namespace, pod, at, cpuSeconds: values[CPU] ?? 0, memoryBytes: values[MEMORY] ?? 0, periods }]
  })
  return { node: { cores, cpuSeconds: root?.values[CPU] ?? 0, at: root?.at ?? 0 }, pods }
}

function readGroups(text: string): { readonly cores: number; readonly groups: ReadonlyMap<string, Group> } {
  const groups = new Map<string, Group>()
  let cores = 0
  for (const line of text.split('\n')) {
    const name = line.slice(0, line.indexOf('{'))
    if (!WANTED.has(name)) continue
    const [, labelText = '', value, at = '0'] = LINE.exec(line) ?? []
    if (name === CORES) {
      cores = Number(value)
      continue
    }
    const labels = Object.fromEntries([...labelText.matchAll(LABEL)].map(([, label, content]) => [label, content]))
    const { id = '', namespace = '', pod = '', container = '' } = labels
    // Of an older kubelet, one row for each core.
    if (name === CPU && labels.cpu !== undefined && labels.cpu !== 'total') continue
    const group: Group = groups.get(id) ?? { namespace, pod, container, at: Number(at), values: {} }
    group.values[name] = Number(value)
    groups.set(id, group)
  }
  return { cores, groups }
}
