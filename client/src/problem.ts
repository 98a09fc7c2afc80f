/** Why the platform refused something: the body of its errors (RFC 9457). Act on `code`, which never changes. */
export type Problem = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  /** The fields that are wrong, and what each may be. */
  readonly errors?: readonly { readonly field: string; readonly message: string }[]
  readonly requestId?: string
}

/** Thrown where trying again cannot help. */
export class HopwhistleError extends Error {
  override readonly name = 'HopwhistleError'
  readonly problem: Problem
  constructor(problem: Problem) {
    super(`${problem.title}: ${problem.detail}`)
    this.problem = problem
  }
}

/** The problem that a response tells; something in between, such as a load balancer, may have answered without one. */
export async function readProblem(response: Response): Promise<Problem> {
  const { status } = response
  const body: unknown = await response.json().catch(() => undefined)
  if (typeof (body as Partial<Problem> | undefined)?.code === 'string') return body as Problem
  const detail = `${status} from something that is not the API of Hopwhistle; check the url`
  return { type: 'about:blank', title: response.statusText || `HTTP ${status}`, status, code: `http-${status}`, detail }
}

/** Whether the same request may be answered differently later. */
export function mayHeal(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429
}
