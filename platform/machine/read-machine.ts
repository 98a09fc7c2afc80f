/** Reads /proc for the whole machine: counters since boot; the sampler subtracts. */
import { readFileSync } from 'node:fs'

export type MachineReading = {
  /** CPU seconds, the sum of all cores. */
  readonly cpuSeconds: {
    readonly user: number
    readonly system: number
    readonly iowait: number
    readonly steal: number
    readonly idle: number
  }
  readonly memoryTotalBytes: number
  readonly memoryAvailableBytes: number
  readonly diskReadBytes: number
  readonly diskWrittenBytes: number
  /** Milliseconds that each disk was busy, by name. */
  readonly diskBusyMs: ReadonlyMap<string, number>
  readonly loopbackBytes: number
  readonly loopbackPackets: number
}

const TICKS_PER_SECOND = 100
const SECTOR_BYTES = 512

/** @throws outside Linux */
export function readMachine(): MachineReading {
  const cpu = read('stat')
    .split('\n', 1)[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map((ticks) => Number(ticks) / TICKS_PER_SECOND)
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = cpu
  const memory = read('meminfo')
  return {
    cpuSeconds: { user: user + nice, system: system + irq + softirq, iowait, steal, idle },
    memoryTotalBytes: kilobytes(memory, 'MemTotal') * 1024,
    memoryAvailableBytes: kilobytes(memory, 'MemAvailable') * 1024,
    ...readDisks(),
    ...readLoopback(),
  }
}

/** Only whole disks: partitions and stacked devices would be counted twice. */
const DISK = /^(sd[a-z]+|vd[a-z]+|xvd[a-z]+|hd[a-z]+|nvme\d+n\d+|mmcblk\d+)$/

function readDisks(): Pick<MachineReading, 'diskReadBytes' | 'diskWrittenBytes' | 'diskBusyMs'> {
  let diskReadBytes = 0
  let diskWrittenBytes = 0
  const diskBusyMs = new Map<string, number>()
  for (const line of read('diskstats').split('\n')) {
    const fields = line.trim().split(/\s+/)
    const name = fields[2]
    if (name === undefined || !DISK.test(name)) continue
    diskReadBytes += Number(fields[5]) * SECTOR_BYTES
    diskWrittenBytes += Number(fields[9]) * SECTOR_BYTES
    diskBusyMs.set(name, Number(fields[12]))
  }
  return { diskReadBytes, diskWrittenBytes, diskBusyMs }
}

function readLoopback(): Pick<MachineReading, 'loopbackBytes' | 'loopbackPackets'> {
  const line = read('net/dev')
    .split('\n')
    .find((line) => line.trim().startsWith('lo:'))
  const [bytes = 0, packets = 0] = (line?.split(':')[1]?.trim().split(/\s+/) ?? []).map(Number)
  return { loopbackBytes: bytes, loopbackPackets: packets }
}

const read = (file: string) => readFileSync(`/proc/${file}`, 'latin1')

function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0)
}
