import { setTimeout as sleep } from 'node:timers/promises'
import { type Fault, riggingOf } from './fault.ts'

const STEP_MS = 60_000
const HELD_MS = 6_000

export const clockStepped: Fault = {
  name: 'clock-stepped',
  title: 'Clocks of the API a minute ahead, then a minute behind',
  needs: 'rigging',
  inflict: async (rig) => {
    const { shiftClock } = riggingOf(rig)
    for (const ms of [STEP_MS, -STEP_MS]) {
      shiftClock(ms)
      await sleep(HELD_MS).finally(() => shiftClock(0))
    }
  },
}
