/** An error that the user can act on; printed as its message, without a stack. */
export class Failure extends Error {
  override readonly name: string = 'Failure'
}

/** The command line is wrong; printed with where to find help. */
export class Usage extends Error {
  override readonly name = 'Usage'
}

/** Exit codes of the platform's commands. */
export const EXIT = {
  /** Done; for a measurement: every target is met by valid evidence. */
  ok: 0,
  /** A target is missed. */
  missed: 1,
  /** Could not be done, or the evidence is not valid. */
  failed: 2,
} as const
