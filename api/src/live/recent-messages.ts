import type { HistoryBudget } from './history-budget.ts'
import type { EncodedMessage } from './messages.ts'

/** The last messages of a tenant in memory, so that the many who come back together need not all ask Redis. */
export type RecentMessages = {
  push(messages: readonly EncodedMessage[]): void
  /** The next few messages after an offset; undefined when they are no longer, or not yet, here. */
  after(offset: number): readonly EncodedMessage[] | undefined
  clear(): void
  /** Clears it for good. */
  close(): void
}

const AT_ONCE = 500
/** Memory of a message besides its line, whose characters may take two bytes each. */
const OBJECT_BYTES = 120

export function recentMessages(max: number, budget: HistoryBudget): RecentMessages {
  let messages: EncodedMessage[] = []
  const share = budget.join(() => keepLast(messages.length >> 1))

  function keepLast(count: number): void {
    const gone = messages.length - count
    let bytes = 0
    for (let i = 0; i < gone; i++) bytes += bytesOf(messages[i] as EncodedMessage)
    messages = count === 0 ? [] : messages.slice(gone)
    share.change(-bytes)
  }

  return {
    push: (more) => {
      let bytes = 0
      for (const message of more) {
        messages.push(message)
        bytes += bytesOf(message)
      }
      share.change(bytes)
      // Cut now and then, not every time: a cut copies.
      if (messages.length > 2 * max) keepLast(max)
    },
    after: (offset) => {
      const first = messages[0]?.offset
      if (first === undefined || first > offset + 1) return undefined
      const start = offset + 1 - first
      return start >= messages.length ? undefined : messages.slice(start, start + AT_ONCE)
    },
    clear: () => keepLast(0),
    close: () => {
      messages = []
      share.leave()
    },
  }
}

const bytesOf = ({ line }: EncodedMessage): number => OBJECT_BYTES + 2 * line.length
