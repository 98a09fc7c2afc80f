/**
 * Sizes are computed from memory by two programs: Node from numbers, and Helm from values, where a number is an
 * expression. Each formula is written once, with these operations; cdk8s/values/compute.ts implements them for Helm.
 *
 * All numbers are integers; division drops the remainder.
 */
export type Arithmetic<N> = {
  quotient(dividend: N | number, divisor: N | number): N
  product(a: N | number, b: N | number): N
  difference(a: N | number, b: N | number): N
  larger(a: N | number, b: N | number): N
  smaller(a: N | number, b: N | number): N
}

export const NUMBERS: Arithmetic<number> = {
  quotient: (dividend, divisor) => Math.trunc(dividend / divisor),
  product: (a, b) => a * b,
  difference: (a, b) => a - b,
  larger: Math.max,
  smaller: Math.min,
}

export function within<N>(by: Arithmetic<N>, { least, most }: { least: number; most: number }, value: N): N {
  return by.smaller(by.larger(value, least), most)
}

export const MIB = 1024 * 1024
export const GIB = 1024 * MIB
