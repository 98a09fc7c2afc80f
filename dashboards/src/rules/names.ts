/** What the recording rules make. */
export const RECORDED = {
  /**
   * How many times faster than it may an error budget is used up, by `slo` and `window`: 1 uses up exactly the whole of
   * it in its period.
   */
  burn: 'hopwhistle:slo_burn:rate',
  /** What is left of an error budget, by `slo`: 1 all of it, 0 nothing, below 0 the promise is broken. */
  budgetLeft: 'hopwhistle:slo_budget_left:ratio',
  /** The part of a limit that is used, by `resource`, and `instance` where each has a limit of its own. */
  limitUsed: 'hopwhistle:limit_used:ratio',
} as const
