/** What a suffix stands for in an amount that a person writes. */
export const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}

/** Kubernetes itself measures finer. */
const FACTORS: Readonly<Record<string, number>> = { ...UNITS, n: 1e-9, u: 1e-6 }

/** A Kubernetes quantity as a number: `500m` is 0.5, `64Mi` is 67108864; NaN when it is not a quantity. */
export function quantity(text: string): number {
  const [, digits = '', suffix = ''] = /^([0-9.]+(?:e[0-9]+)?)([A-Za-z]*)$/.exec(text) ?? []
  return digits === '' ? Number.NaN : Number(digits) * (FACTORS[suffix] ?? Number.NaN)
}
