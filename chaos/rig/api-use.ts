import { readGroup } from '../../platform/machine/process-group.ts'
import { MIB } from '../../platform/settings/arithmetic.ts'
import { readRecord } from '../../platform/stack/stack-record.ts'

/** What the API instances use together; 0 where it cannot be known. */
export function apiUse(dir: string): { readonly memoryMib: number; readonly openFiles: number } {
  const instances = (readRecord(dir)?.processes ?? [])
    .filter(({ name }) => name.startsWith('api-'))
    .map(({ pid }) => readGroup(pid))
  return {
    memoryMib: instances.reduce((sum, one) => sum + (one?.memoryBytes ?? 0), 0) / MIB,
    openFiles: instances.reduce((sum, one) => sum + (one?.openFiles ?? 0), 0),
  }
}
