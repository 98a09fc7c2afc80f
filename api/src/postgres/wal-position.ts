/**
 * A place in the write-ahead log, as Postgres writes it: `16/B374D848`. It is what a position token is.
 *
 * Kept as a bigint, because that is how it compares.
 */
export type WalPosition = bigint

const FORM = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/

/** @returns undefined for what is not one, so that a route can say so in its own words */
export function parseWalPosition(text: string): WalPosition | undefined {
  const match = FORM.exec(text)
  return match === null ? undefined : (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)
}

export function formatWalPosition(position: WalPosition): string {
  const hex = (half: bigint) => half.toString(16).toUpperCase()
  return `${hex(position >> 32n)}/${hex(position & 0xffff_ffffn)}`
}

/** Whichever of two is there, and of both the later. */
export function latest(a: WalPosition | undefined, b: WalPosition | undefined): WalPosition | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a
}
