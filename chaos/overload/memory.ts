import { readGroup } from '../../loadtests/bench/sample/process-group.ts'
import { readRecord } from '../../loadtests/bench/stack/stack-record.ts'

const MIB = 1024 * 1024

/** Memory of the API instances together, in MiB; 0 where it cannot be known. */
export function apiMemoryMib(dir: string): number {
  const instances = (readRecord(dir)?.processes ?? []).filter(({ name }) => name.startsWith('api-'))
  return instances.reduce((sum, { pid }) => sum + (readGroup(pid)?.memoryBytes ?? 0), 0) / MIB
}
