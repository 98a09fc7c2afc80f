/** Everything that can run out, and how far it was used during the peak. */
import { LIMITS, type LimitName } from '@hopwhistle/contract/limits.ts'
import { bytes, figure, number, percent } from '@hopwhistle/platform/document/figures.ts'
import type { Facts } from './facts.ts'
import { kubernetesResources } from './kubernetes-resources.ts'
import type { Resource } from './resource.ts'
import { SATURATED_CPU, SATURATED_DISK, SATURATED_EVENT_LOOP, SATURATED_LIMIT, SATURATED_MEMORY } from './saturation.ts'

/** Nearest to its limit first. */
export function resourcesOf(facts: Facts): readonly Resource[] {
  return [
    ...machine(facts),
    ...kubernetesResources(facts),
    ...eventLoops(facts),
    ...redis(facts),
    ...limits(facts),
  ].sort((a, b) => b.use / b.saturatedAt - a.use / a.saturatedAt)
}

/** Whether a resource that work queues for is used up: more of it, or less work, is what helps. */
export const isBusy = (resource: Resource): boolean =>
  isSaturated(resource) && resource.id !== 'limit' && resource.id !== 'memory'

export const isSaturated = ({ use, saturatedAt }: Resource): boolean => use >= saturatedAt

function machine({ machine: m }: Facts): readonly Resource[] {
  if (m === undefined) return []
  const { cores, throttled, busyCores, diskBusy, memoryUsedBytes, memoryTotalBytes } = m
  return [
    {
      id: 'machine cpu',
      // Under a quota it may still be other programs that leave less than it allows.
      name: (throttled?.mean ?? 0) > 0 ? 'the CPU quota' : "the machine's CPU",
      use: busyCores.mean / cores,
      saturatedAt: SATURATED_CPU,
      figures:
        throttled === undefined
          ? `${number(busyCores.mean, 2)} of ${number(cores)} cores in use on average`
          : `${number(busyCores.mean, 2)} of ${number(cores, 2)} cores in use on average, and stopped by it in ` +
            `${percent(throttled.mean)} of the kernel's periods`,
    },
    ...(diskBusy === undefined
      ? []
      : ([
          {
            id: 'disk',
            name: 'the disk',
            use: diskBusy.mean,
            saturatedAt: SATURATED_DISK,
            figures: `busy ${percent(diskBusy.mean)} of the time`,
          },
        ] as const)),
    ...(memoryUsedBytes === undefined
      ? []
      : ([
          {
            id: 'memory',
            name: "the machine's memory",
            use: memoryUsedBytes.peak / memoryTotalBytes,
            saturatedAt: SATURATED_MEMORY,
            figures: `${bytes(memoryUsedBytes.peak)} of ${bytes(memoryTotalBytes)} in use at most`,
          },
        ] as const)),
  ]
}

function eventLoops({ api }: Facts): readonly Resource[] {
  const [busiest] = (api?.eventLoop ?? []).toSorted((a, b) => b.mean - a.mean)
  if (busiest === undefined) return []
  return [
    {
      id: 'event loop',
      name: `the event loop of ${busiest.instance}`,
      use: busiest.mean,
      saturatedAt: SATURATED_EVENT_LOOP,
      figures: `busy ${percent(busiest.mean)} of the time, ${percent(busiest.peak)} in its worst sample`,
    },
  ]
}

function redis({ redis: r }: Facts): readonly Resource[] {
  if (r?.cpuCores === undefined) return []
  return [
    {
      id: 'redis cpu',
      name: "Redis's CPU",
      use: r.cpuCores.mean,
      saturatedAt: SATURATED_CPU,
      figures: `${number(r.cpuCores.mean, 2)} of the one core that it can use`,
    },
  ]
}

/** How a limit is called in a sentence. Timeouts are limits that nothing fills up, and are not here. */
const LIMIT_NAMES: Partial<Record<LimitName, string>> = {
  postgres_connections: "the primary's connections",
  postgres_pool: "an instance's connection pool",
  redis_connections: "Redis's connections",
  redis_memory: "Redis's memory",
  requests_in_flight: "an instance's requests in flight",
  websockets: "an instance's WebSockets",
  ingest_queue: "an instance's queue of events",
  live_socket_buffer: "a subscriber's unread bytes",
}

function limits(facts: Facts): readonly Resource[] {
  return (Object.keys(LIMIT_NAMES) as LimitName[]).flatMap((name) => {
    const use = limitUse(facts, name)
    const label = LIMIT_NAMES[name]
    if (use === undefined || label === undefined) return []
    const text = LIMITS[name].unit === 'bytes' ? bytes : figure
    return [
      {
        id: 'limit',
        name: label,
        use: use.peak / use.limit,
        saturatedAt: SATURATED_LIMIT,
        figures: `${text(use.peak)} of ${text(use.limit)} at most`,
        limit: name,
      },
    ]
  })
}

/**
 * The most that was used of a limit, and the limit that was in force, as the contract's `LIMIT_USE` says and the board
 * Limits shows it; undefined when no instance exported it.
 */
export function limitUse(
  { api }: Pick<Facts, 'api'>,
  name: LimitName,
): { readonly peak: number; readonly limit: number } | undefined {
  const peak = api?.usage[name]?.peak
  return peak === undefined ? undefined : { peak, limit: api?.limits[name] ?? LIMITS[name].value }
}
