import { setTimeout as sleep } from 'node:timers/promises'

/** Work that is done again for as long as somebody asks for it, never twice at the same time. */
export type Rounds = {
  /** Begins a round; asked during one, another follows it. */
  ask(): void
  /** Has another round follow the one that is running, if there is one. */
  askAgain(): void
  stop(): void
}

const RETRY_FIRST_MS = 50
const RETRY_MAX_MS = 1_000

/** @param round one that throws is tried again, after a pause that grows */
export function createRounds(round: () => Promise<void>): Rounds {
  let isRunning = false
  let isAsked = false
  let isStopped = false

  async function run(): Promise<void> {
    isRunning = true
    let pauseMs = RETRY_FIRST_MS
    while (isAsked && !isStopped) {
      isAsked = false
      try {
        await round()
        pauseMs = RETRY_FIRST_MS
      } catch {
        isAsked = true
        await sleep(pauseMs * (0.5 + Math.random() / 2), undefined, { ref: false })
        pauseMs = Math.min(RETRY_MAX_MS, pauseMs * 2)
      }
    }
    isRunning = false
  }

  return {
    ask: () => {
      isAsked = true
      if (!isRunning) void run()
    },
    askAgain: () => {
      isAsked = true
    },
    stop: () => {
      isStopped = true
    },
  }
}
