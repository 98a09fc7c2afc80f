/** So many messages at once, and so many a second after that. */
export type MessageAllowance = {
  /** @returns false when there is none left */
  take(): boolean
}

export function createMessageAllowance(
  perSecond: number,
  burst: number,
  now: () => number = Date.now,
): MessageAllowance {
  let left = burst
  let at = now()
  return {
    take: () => {
      const time = now()
      left = Math.min(burst, left + ((time - at) / 1000) * perSecond)
      at = time
      if (left < 1) return false
      left -= 1
      return true
    },
  }
}
