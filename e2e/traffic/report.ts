/** What a client of the platform saw of it; goes from the traffic pod to the tests. */
export type TrafficReport = {
  /** Events whose first attempt was made. */
  readonly sent: number
  /** Numbers of those that were answered 2xx, in that order; event n has the id `PREFIX-n`. */
  readonly acknowledged: readonly number[]
  /** Attempts that were not; each is made again until it is. */
  readonly failures: readonly { readonly event: number; readonly at: string; readonly what: string }[]
  /** From the first attempt to the answer. */
  readonly slowestMs: number
  readonly subscribers: readonly SubscriberReport[]
}

export type SubscriberReport = {
  readonly url: string
  /** Different messages of this run. */
  readonly received: number
  /** Numbers of acknowledged events that have not come. */
  readonly missing: readonly number[]
  /** Messages that came again. */
  readonly repeated: number
  readonly connections: number
  /** Close codes, in order. */
  readonly closed: readonly number[]
  /** How often the server said that messages may be lost. */
  readonly notRecovered: number
  /** What the protocol does not allow, such as a gap in silence. */
  readonly broken: readonly string[]
}

export type TrafficOrder = {
  /** Begins the id of every event of this run. */
  readonly prefix: string
  readonly apiKey: string
  readonly ratePerSecond: number
  /** Base URL that events go to. */
  readonly api: string
  /** A base URL for each subscriber. */
  readonly subscribeAt: readonly string[]
}
