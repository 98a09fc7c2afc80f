/**
 * The event ids of the live scenario: they say which run, and which of its messages, so that a subscriber recognises
 * what is foreign and what it has seen before.
 */

/** Begins the id of every message of a run; the message's number over all publishers follows. */
export const messagePrefix = (runId: string): string => `${runId}.p`

/**
 * Behind the number, as if it were a fraction of it, stands when the publisher's runner began: so that a run that is
 * made again under the same name, as a TestRun is, does not repeat the events of the one before.
 */
export const messageId = ({ runId, startedAt }: RunStart, number: number): string =>
  `${messagePrefix(runId)}${number}.${startedAt}`

export type RunStart = {
  readonly runId: string
  /** Unix milliseconds. */
  readonly startedAt: number
}

/** Begins the id of every publisher's last message. */
export const farewellPrefix = (runId: string): string => `${runId}.end`

/**
 * The id of a publisher's last message. It carries how many messages of that publisher were acknowledged: so every
 * subscriber, in whichever k6 process, learns exactly how many it should have. The farewell itself is not counted.
 */
export const farewellId = ({ runId, startedAt }: RunStart, publisher: number, acknowledged: number): string =>
  `${farewellPrefix(runId)}${publisher}.${acknowledged}.${startedAt}`

export type Farewell = { readonly publisher: number; readonly acknowledged: number }

/** Reads a farewell of this run; undefined when the id is anything else. */
export function farewellOf(eventId: string, runId: string): Farewell | undefined {
  const prefix = farewellPrefix(runId)
  if (!eventId.startsWith(prefix)) return undefined
  const [, publisher, acknowledged] = /^(\d+)\.(\d+)\.\d+$/.exec(eventId.slice(prefix.length)) ?? []
  if (publisher === undefined) return undefined
  return { publisher: Number(publisher), acknowledged: Number(acknowledged) }
}
