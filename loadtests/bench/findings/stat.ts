/** A series of the peak phase in two numbers. */
export type Stat = { readonly mean: number; readonly peak: number }

/** @returns undefined when nothing was sampled */
export function statOf(values: readonly number[]): Stat | undefined {
  if (values.length === 0) return undefined
  const sum = values.reduce((a, b) => a + b, 0)
  return { mean: rounded(sum / values.length), peak: rounded(values.reduce((a, b) => Math.max(a, b))) }
}

/** To five digits: more are noise, and a baseline is read in a diff. Whole numbers stay whole. */
export const rounded = (value: number): number => (Number.isInteger(value) ? value : Number(value.toPrecision(5)))

/** Only what is known: a baseline has no keys without a value. */
export function known<T extends Readonly<Record<string, unknown>>>(
  values: T,
): { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
} {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}
