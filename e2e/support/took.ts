/** Prints how long something took under load: docs/scaling.md refers to it. */
export async function took<T>(what: string, run: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  const result = await run()
  process.stdout.write(`${what}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`)
  return result
}
