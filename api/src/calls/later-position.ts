/** The later of two WAL positions like `0/16B3748`. */
export function laterPosition(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return walBytes(b) > walBytes(a) ? b : a
}

function walBytes(position: string): bigint {
  const [high, low] = position.split('/')
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`)
}
