let turn: Promise<void> | undefined

/**
 * Resolves when the event loop has looked at every connection, for all who wait in this turn at once.
 *
 * Answers that leave in a row find their readers awake. Each sent as it is ready, on the machine of its reader, costs a
 * wake-up of another core: 46 µs a request instead of 37.
 */
export function endOfTurn(): Promise<void> {
  turn ??= new Promise((resolve) =>
    setImmediate(() => {
      turn = undefined
      resolve()
    }),
  )
  return turn
}
