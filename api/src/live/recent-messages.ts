import type { EncodedMessage } from './messages.ts'

/** The last messages of a tenant in memory, so that the many who come back together need not all ask Redis. */
export type RecentMessages = {
  push(messages: readonly EncodedMessage[]): void
  /** The next few messages after an offset; undefined when they are no longer, or not yet, here. */
  after(offset: number): readonly EncodedMessage[] | undefined
  clear(): void
}

const AT_ONCE = 500

export function recentMessages(max: number): RecentMessages {
  let messages: EncodedMessage[] = []
  return {
    push: (more) => {
      for (const message of more) messages.push(message)
      // Cut now and then, not every time: a cut copies.
      if (messages.length > 2 * max) messages = messages.slice(-max)
    },
    after: (offset) => {
      const first = messages[0]?.offset
      if (first === undefined || first > offset + 1) return undefined
      const start = offset + 1 - first
      return start >= messages.length ? undefined : messages.slice(start, start + AT_ONCE)
    },
    clear: () => {
      messages = []
    },
  }
}
