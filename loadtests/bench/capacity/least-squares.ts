/**
 * Weights that are not negative and bring each row nearest to its value, relative to that value: cyclic coordinate
 * descent on the normal equations, which converges because they are convex.
 *
 * @param rows features of each measurement; a feature that is 0 in all of them gets the weight 0
 * @param values above 0
 */
export function leastSquares(rows: readonly (readonly number[])[], values: readonly number[]): readonly number[] {
  const scaled = rows.map((row, i) => row.map((feature) => feature / values[i]!))
  const size = rows[0]?.length ?? 0
  const columns = Array.from({ length: size }, (_, j) => j)
  const products = columns.map((j) => columns.map((k) => scaled.reduce((sum, row) => sum + row[j]! * row[k]!, 0)))
  const right = columns.map((j) => scaled.reduce((sum, row) => sum + row[j]!, 0))
  const weights = columns.map(() => 0)
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let change = 0
    for (const j of columns) {
      const own = products[j]![j]!
      if (own === 0) continue
      const others = columns.reduce((sum, k) => (k === j ? sum : sum + products[j]![k]! * weights[k]!), 0)
      const weight = Math.max(0, (right[j]! - others) / own)
      change = Math.max(change, Math.abs(weight - weights[j]!) * Math.sqrt(own))
      weights[j] = weight
    }
    if (change < PRECISION) break
  }
  return weights
}

const MOST_ROUNDS = 5_000
const PRECISION = 1e-7
