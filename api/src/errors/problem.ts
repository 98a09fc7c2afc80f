/**
 * An error that a client may see: answered as `application/problem+json` (RFC 9457).
 *
 * It has no stack: its code says what happened and its cause where, and gathering and printing one was a fifth of the
 * profile of refusing events.
 */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: string
  readonly status: number
  readonly title: string
  readonly retryAfterSeconds: number | undefined
  readonly errors: readonly FieldError[] | undefined

  constructor(entry: CatalogueEntry, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = entry.code
    this.status = entry.status
    this.title = entry.title
    this.retryAfterSeconds = options.retryAfterSeconds ?? entry.retryAfterSeconds
    this.errors = options.errors
  }
}

/** One field of a request that cannot be: its path, and what it may be. */
export type FieldError = { readonly field: string; readonly message: string }

export type ProblemOptions = {
  readonly cause?: unknown
  readonly retryAfterSeconds?: number
  readonly errors?: readonly FieldError[]
}

export type CatalogueEntry = {
  readonly code: string
  readonly status: number
  readonly title: string
  readonly retryAfterSeconds?: number
}

export type ProblemFactory<Args extends readonly unknown[]> = CatalogueEntry & {
  (...args: Args): Problem
  /** True for a problem that this entry made. */
  is(error: unknown): error is Problem
}

/**
 * Declares one entry of the catalogue; calling it makes the error: `throw UnknownState('RANG')`.
 *
 * @param message quotes what was given and what was expected; may return options with the text
 */
export function problem<Args extends readonly unknown[]>(
  code: string,
  status: number,
  title: string,
  message: (...args: Args) => string | readonly [string, ProblemOptions],
  retryAfterSeconds?: number,
): ProblemFactory<Args> {
  const entry: CatalogueEntry = {
    code,
    status,
    title,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  }
  const make = (...args: Args): Problem => {
    const said = message(...args)
    const [detail, options] = typeof said === 'string' ? [said] : said
    const frames = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    try {
      return new Problem(entry, detail, options)
    } finally {
      Error.stackTraceLimit = frames
    }
  }
  return Object.assign(make, entry, {
    is: (error: unknown): error is Problem => error instanceof Problem && error.code === code,
  })
}

/** The body of a problem as it goes over the wire. */
export type ProblemBody = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly errors?: readonly FieldError[]
  readonly requestId?: string
}

export function problemBody(error: Problem, requestId?: string): ProblemBody {
  return {
    type: `urn:hopwhistle:problem:${error.code}`,
    title: error.title,
    status: error.status,
    code: error.code,
    detail: error.message,
    ...(error.errors === undefined ? {} : { errors: error.errors }),
    ...(requestId === undefined ? {} : { requestId }),
  }
}
