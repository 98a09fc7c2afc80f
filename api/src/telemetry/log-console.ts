import { format } from 'node:util'
import type { Log } from './log.ts'

/** What libraries write to the console goes into the log, like everything else. */
export function logConsole(log: Pick<Log, 'warn'>): void {
  for (const method of ['log', 'info', 'warn', 'error'] as const) {
    console[method] = (...said: unknown[]) => log.warn({ said: format(...said) }, 'a library wrote to the console')
  }
}
