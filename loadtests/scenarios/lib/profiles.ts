/** What a profile proves, and how much load is offered for a target. */

/** Whether a profile is there to prove the targets. */
export const provesTargets = (profile: string): boolean => profile !== 'smoke' && profile !== 'breakpoint'

/**
 * The rate to offer for a target: 1 % more, rounded up (500 → 505), so that the rate achieved is compared with the
 * target itself. At exactly the target, one slow tick of k6's clock would read as 499.9 and need an excuse.
 */
export const offeredPerSecond = (targetPerSecond: number): number => Math.ceil(targetPerSecond * 1.01 - 1e-9)
