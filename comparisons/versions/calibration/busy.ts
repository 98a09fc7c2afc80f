/** Another program on the machine: it takes a share of a core, in slices of some 20 ms. */
import { runAsChild } from '@hopwhistle/platform/child/run-as-child.ts'

export type BusyConfig = {
  /** 0 to 1. */
  readonly cores: number
}

const PERIOD_MS = 30

runAsChild(({ cores }: BusyConfig) => {
  setInterval(() => {
    for (const until = performance.now() + cores * PERIOD_MS; performance.now() < until; );
  }, PERIOD_MS)
  return { ready: undefined }
})
