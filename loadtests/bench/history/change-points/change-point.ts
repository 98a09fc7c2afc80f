/** A place in a series where its level changes. */
export type ChangePoint = {
  /** Of the first value after the change: 1 or more. */
  readonly index: number
  /** How likely a split as clear as this one is where nothing changed. */
  readonly p: number
}
