/** What `answer` resolves to; `late` when that takes longer, or fails. */
export function withinMs<T>(answer: Promise<T>, ms: number): Promise<T | 'late'> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('late'), ms)
    answer.then(resolve, () => resolve('late')).finally(() => clearTimeout(timer))
  })
}
