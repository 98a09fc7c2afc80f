import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from './fault.ts'

/** How long a supervisor takes to notice. */
const AWAY_MS = 2_000

const gone = (name: string, title: string, signal: NodeJS.Signals, index: number): Fault => ({
  name,
  title,
  needs: 'servers',
  inflict: async ({ servers }) => {
    const one = servers.api[index % servers.api.length]
    await one?.stop(signal)
    await sleep(AWAY_MS)
    await one?.start()
  },
})

export const apiKilled = gone(
  'api-killed',
  'One of three API instances killed (SIGKILL), then started again',
  'SIGKILL',
  0,
)
export const apiStopped = gone(
  'api-stopped',
  'One of three API instances stopped (SIGTERM), then started',
  'SIGTERM',
  1,
)
