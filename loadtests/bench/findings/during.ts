import type { Series } from '../sample/server-evidence.ts'

/** What was sampled of a series while the load was at its peak. */
export type During = (series: Series | undefined) => readonly number[]
