import type { Pool } from 'pg'

type Callback = Parameters<Pool['connect']>[0]

/** Reports, in seconds, how long each query and each `connect` waited for a connection of this pool. */
export function timePoolWait(pool: Pool, observe: (seconds: number) => void): void {
  const connect = pool.connect.bind(pool)
  const timed = (done?: Callback) => {
    const startedAt = performance.now()
    const waited = () => observe((performance.now() - startedAt) / 1000)
    // With a callback: that is how the pool itself calls it, for `query`.
    if (done === undefined) return connect().finally(waited)
    return connect((error, client, release) => {
      waited()
      done(error, client, release)
    })
  }
  pool.connect = timed as Pool['connect']
}
