/** What happens to one subscription. */
export type ChannelListener = {
  /** A message, in the order in which Redis sent it. */
  message(payload: Buffer): void
  /** The channel is subscribed, for the first time or again: whatever was published before may be missing. */
  subscribed(): void
  /** The connection is gone; messages may be missed until `subscribed` comes again. */
  interrupted(): void
}

/**
 * Subscriptions to channels, kept up for as long as they are wanted.
 *
 * One listener a channel. A subscription that cannot be made is tried again until it is ended: the caller need not ask twice.
 */
export type Subscriber = {
  subscribe(channel: string, listener: ChannelListener): void
  unsubscribe(channel: string): void
  /** Reconnects, for a caller that suspects a half-open connection. */
  renew(): void
}
