/** Names of the recorded series. */
export const RECORDED = {
  /**
   * Burn rate of an error budget, by `slo` and `window`: 1 uses exactly the whole budget in its period.
   */
  burn: 'hopwhistle:slo_burn:rate',
  /** The remaining error budget, by `slo`: 1 is all of it, 0 nothing; below 0 the objective is missed. */
  budgetLeft: 'hopwhistle:slo_budget_left:ratio',
  /** The used share of a limit, by `resource`, and by `instance` where each has its own limit. */
  limitUsed: 'hopwhistle:limit_used:ratio',
} as const
