/**
 * What the kernel tells inside a pod: of the CPU and memory of its container, and of the CPU of its node. For whoever may
 * run a program in the runners' pods, but not ask the kubelets.
 */
import { PassThrough } from 'node:stream'
import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import { Exec } from '@kubernetes/client-node'
import type { NodeUse, PodUse } from './cadvisor.ts'

export type PodFiles = { readonly node: NodeUse; readonly pod: Omit<PodUse, 'namespace' | 'pod'> }

/** Of control groups version 2, then of version 1. Each under its name, for which are there differs. */
const FILES = [
  ...['/proc/stat', '/proc/uptime'],
  ...['cpu.stat', 'memory.current'].map((file) => `/sys/fs/cgroup/${file}`),
  ...['cpu/cpu.stat', 'cpuacct/cpuacct.usage', 'memory/memory.usage_in_bytes'].map((file) => `/sys/fs/cgroup/${file}`),
]
const READ = ['sh', '-c', `for file in ${FILES.join(' ')}; do echo "== $file"; cat $file 2>/dev/null; done; exit 0`]
const ANSWER_WITHIN_MS = 10_000

/** @throws {Error} when it cannot be read */
export async function readPodFiles({ config }: Cluster, namespace: string, pod: string): Promise<PodFiles> {
  const output = new PassThrough()
  const parts: Buffer[] = []
  output.on('data', (part: Buffer) => parts.push(part))
  const socket = await new Exec(config).exec(namespace, pod, 'k6', READ, output, null, null, false)
  await new Promise<void>((resolve, reject) => {
    const timeout = setTimeout(() => {
      socket.close()
      reject(new Error(`${pod} did not answer`))
    }, ANSWER_WITHIN_MS)
    socket.on('error', reject)
    socket.on('close', () => {
      clearTimeout(timeout)
      resolve()
    })
  })
  return parsePodFiles(Buffer.concat(parts).toString())
}

/** Hundredths of a second, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

/** @throws {Error} when the counts of the CPU are missing */
export function parsePodFiles(text: string): PodFiles {
  const files = new Map(
    text
      .split(/^== /m)
      .filter(Boolean)
      .map((part) => {
        const end = part.indexOf('\n')
        return [part.slice(0, end), part.slice(end + 1)] as const
      }),
  )
  const file = (name: string) => files.get(`/sys/fs/cgroup/${name}`) ?? ''
  const isV2 = file('cpu.stat').includes('usage_usec')
  const counts = isV2 ? file('cpu.stat') : file('cpu/cpu.stat')
  const count = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(counts)?.[1] ?? 0)
  const cpuSeconds = isV2 ? count('usage_usec') / 1e6 : Number(file('cpuacct/cpuacct.usage')) / 1e9
  const stat = files.get('/proc/stat') ?? ''
  if (counts === '' || stat === '') throw new Error('the files of its control group are not there')
  // Since the node was started: what counts is the time between two looks.
  const at = 1000 * Number.parseFloat(files.get('/proc/uptime') ?? '')
  return {
    node: {
      at,
      cores: [...stat.matchAll(/^cpu\d+ /gm)].length,
      cpuSeconds: busyTicks(stat) / TICKS_PER_SECOND,
    },
    pod: {
      at,
      cpuSeconds,
      memoryBytes: Number((isV2 ? file('memory.current') : file('memory/memory.usage_in_bytes')) || 0),
      periods: new Map([['k6', { all: count('nr_periods'), throttled: count('nr_throttled'), at }]]),
    },
  }
}

/** user, nice, system, irq, softirq and steal: all but idle and waiting; guests are part of user. */
function busyTicks(stat: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] =
    /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ').map(Number) ?? []
  return user + nice + system + irq + softirq + steal
}
