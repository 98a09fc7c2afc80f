/**
 * What of its memory an instance may spend on what others make it keep, in bytes. The parts add up to some 55 % of the whole,
 * when bodies are counted as what they become; the rest is for code, queued events and garbage.
 */
export type MemoryBudget = {
  /** Of requests whose answers are under way, unpacked. As events, a body takes up to three times its length. */
  readonly bodies: number
  /** Of reports that clients have not read to their end. */
  readonly answers: number
  /** Of frames that sockets have not read. */
  readonly unread: number
  /** Of live messages that are kept for sockets which come back, or until a gap before them is filled. */
  readonly history: number
  /** Of messages that wait for Redis. */
  readonly publishing: number
  /** Of answers that are given again. */
  readonly reportCache: number
  /** Of events that were read for webhooks and are not sent yet. */
  readonly webhooks: number
}

export const memoryBudget = (wholeBytes: number): MemoryBudget => ({
  bodies: part(wholeBytes, 16),
  answers: part(wholeBytes, 12),
  unread: part(wholeBytes, 8),
  history: part(wholeBytes, 12),
  publishing: part(wholeBytes, 24),
  reportCache: part(wholeBytes, 48),
  webhooks: part(wholeBytes, 96),
})

const part = (wholeBytes: number, divisor: number): number => Math.floor(wholeBytes / divisor)
