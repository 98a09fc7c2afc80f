import { type CpuAllowance, readQuotaPeriods } from '@hopwhistle/platform/machine/cpu-allowance.ts'
import { type GroupReading, readGroup } from '@hopwhistle/platform/machine/process-group.ts'
import { readMachine } from '@hopwhistle/platform/machine/read-machine.ts'
import type { SeriesRecorder } from './series-recorder.ts'
import type { MachineEvidence, ProcessEvidence } from './server-evidence.ts'
import type { Source } from './source.ts'

export type WatchedProcess = {
  readonly name: string
  readonly kind: ProcessEvidence['kind']
  /** Or what looks it up, of a process that starts after the sampling. */
  readonly pid: number | (() => number | undefined)
  /** Whether the processes it started belong to it. */
  readonly withDescendants: boolean
}

/** CPU, memory, disk and files of each server on this machine, from /proc; Linux only. */
export function processSource(watched: readonly WatchedProcess[]): Source<readonly ProcessEvidence[]> {
  const totals = watched.map(() => ({ cpu: runningTotal(), read: runningTotal(), written: runningTotal() }))
  return {
    begin: async () => {},
    close: async () => {},
    async sample(recorder) {
      watched.forEach(({ name, pid, withDescendants }, i) => {
        const id = typeof pid === 'number' ? pid : pid()
        const reading = id === undefined ? undefined : readGroup(id, { withDescendants })
        record(recorder, name, reading, totals[i]!)
      })
    },
    end: async (recorder) =>
      watched.map(({ name, kind }) => ({
        name,
        kind,
        cpuCores: recorder.series(`${name} cpu`),
        memoryBytes: recorder.series(`${name} memory`),
        processes: recorder.series(`${name} processes`),
        threads: recorder.series(`${name} threads`),
        openFiles: recorder.series(`${name} files`),
        diskReadBytesPerSecond: recorder.series(`${name} read`),
        diskWriteBytesPerSecond: recorder.series(`${name} written`),
      })),
  }
}

type Totals = Record<'cpu' | 'read' | 'written', RunningTotal>

function record(recorder: SeriesRecorder, name: string, reading: GroupReading | undefined, totals: Totals): void {
  recorder.gauge(`${name} memory`, reading?.memoryBytes)
  recorder.gauge(`${name} processes`, reading?.processes)
  recorder.gauge(`${name} threads`, reading?.threads)
  recorder.gauge(`${name} files`, reading?.openFiles)
  recorder.growth(`${name} cpu`, reading && totals.cpu(reading.cpuSeconds))
  recorder.growth(`${name} read`, reading && totals.read(reading.diskRead))
  recorder.growth(`${name} written`, reading && totals.written(reading.diskWritten))
}

export type RunningTotal = (byProcess: ReadonlyMap<number, number>) => number

/** Adds up what each process used, so that the total does not shrink when one of them ends. */
export function runningTotal(): RunningTotal {
  let total = 0
  let before: ReadonlyMap<number, number> | undefined
  return (now) => {
    for (const [pid, value] of now)
      total += Math.max(0, value - (before?.get(pid) ?? (before === undefined ? value : 0)))
    before = now
    return total
  }
}

export function machineSource({ cores, quotaCores }: CpuAllowance): Source<MachineEvidence> {
  let memoryTotalBytes = 0
  const throttled = throttledSince()
  return {
    begin: async () => {},
    close: async () => {},
    async sample(recorder) {
      const reading = readMachine()
      memoryTotalBytes = reading.memoryTotalBytes
      for (const [name, seconds] of Object.entries(reading.cpuSeconds)) recorder.growth(`cpu ${name}`, seconds)
      if (quotaCores !== undefined) recorder.gauge('throttled', throttled())
      recorder.gauge('memory', reading.memoryAvailableBytes)
      recorder.growth('disk read', reading.diskReadBytes)
      recorder.growth('disk written', reading.diskWrittenBytes)
      // Milliseconds a second, of the busiest disk.
      for (const [disk, ms] of reading.diskBusyMs) recorder.growth(`busy ${disk}`, ms / 1000)
      recorder.growth('loopback bytes', reading.loopbackBytes)
      recorder.growth('loopback packets', reading.loopbackPackets)
    },
    async end(recorder) {
      const disks = recorder.names().filter((name) => name.startsWith('busy '))
      const busiest = disks.toSorted((a, b) => recorder.grown(b) - recorder.grown(a))[0]
      return {
        cores,
        ...(quotaCores === undefined ? {} : { quota: { cores: quotaCores, throttled: recorder.series('throttled') } }),
        cpuCores: {
          user: recorder.series('cpu user'),
          system: recorder.series('cpu system'),
          iowait: recorder.series('cpu iowait'),
          steal: recorder.series('cpu steal'),
          idle: recorder.series('cpu idle'),
        },
        memoryTotalBytes,
        memoryAvailableBytes: recorder.series('memory'),
        disk: {
          readBytesPerSecond: recorder.series('disk read'),
          writeBytesPerSecond: recorder.series('disk written'),
          busy: busiest === undefined ? 0 : recorder.series(busiest),
        },
        loopback: {
          bytesPerSecond: recorder.series('loopback bytes'),
          packetsPerSecond: recorder.series('loopback packets'),
        },
      }
    },
  }
}

/** @returns the part of the quota's periods since the call before in which it stopped its processes; null for the first */
function throttledSince(): () => number | null {
  let before: ReturnType<typeof readQuotaPeriods>
  return () => {
    const now = readQuotaPeriods()
    const periods = (now?.periods ?? 0) - (before?.periods ?? 0)
    const part = before === undefined || periods === 0 ? null : ((now?.throttled ?? 0) - before.throttled) / periods
    before = now
    return part
  }
}
