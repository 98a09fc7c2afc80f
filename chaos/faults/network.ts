import { setTimeout as sleep } from 'node:timers/promises'
import { type Fault, riggingOf } from './fault.ts'

const HALF_OPEN_MS = 12_000
const SLOW_MS = 10_000
const SLOW = { delayMs: 200, lossRatio: 0.02 }

const WAYS = ['primary', 'replica', 'redis'] as const
const NAMES = { primary: 'the primary', replica: 'the replica', redis: 'Redis' }

const halfOpen = (way: (typeof WAYS)[number]): Fault => ({
  name: `${way}-half-open`,
  title: `Connections to ${NAMES[way]} half-open for ${HALF_OPEN_MS / 1000} s, the old ones for ever`,
  needs: 'rigging',
  inflict: async (rig) => {
    const link = riggingOf(rig).links[way]
    link.set('half-open')
    await sleep(HALF_OPEN_MS).finally(() => link.set('open'))
  },
})

const slow = (way: (typeof WAYS)[number]): Fault => ({
  name: `${way}-far`,
  title: `${SLOW.delayMs} ms and ${SLOW.lossRatio * 100} % loss each way to ${NAMES[way]} for ${SLOW_MS / 1000} s`,
  needs: 'rigging',
  inflict: async (rig) => {
    const link = riggingOf(rig).links[way]
    link.set(SLOW)
    await sleep(SLOW_MS).finally(() => link.set('open'))
  },
})

export const networkFaults: readonly Fault[] = [...WAYS.map(halfOpen), ...WAYS.map(slow)]
