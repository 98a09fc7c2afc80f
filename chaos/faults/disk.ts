import { setTimeout as sleep } from 'node:timers/promises'
import { missingForSmallDisk } from '../rig/small-disk.ts'
import { type Fault, riggingOf } from './fault.ts'

const FULL_MS = 15_000

export const diskFull: Fault = {
  name: 'disk-full',
  title: `Disk full under Postgres for ${FULL_MS / 1000} s; then it is started again if it ended`,
  needs: 'rigging',
  missing: missingForSmallDisk,
  inflict: async (rig) => {
    const { disk } = riggingOf(rig)
    if (disk === undefined) throw new Error('this platform has no small disk')
    await disk.fill()
    await sleep(FULL_MS).finally(() => disk.empty())
    // Postgres stops when it can no longer write its WAL; the supervisor then starts it again.
    for (const server of [rig.servers.primary, rig.servers.replica]) if (!server.isRunning()) await server.start()
  },
}
