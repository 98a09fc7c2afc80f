import type { Pool } from 'pg'

/** Folds the rollups as fast as it can while `work` is going on. */
export async function duringFolds(owner: Pool, work: () => Promise<void>): Promise<void> {
  let working = true
  const folding = (async () => {
    while (working) await owner.query('select hopwhistle.fold_call_metrics()')
  })()
  try {
    await work()
  } finally {
    working = false
    await folding
  }
}
