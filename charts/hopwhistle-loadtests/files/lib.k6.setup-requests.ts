import { Counter } from 'k6/metrics'
import { SETUP_REQUESTS } from './lib.result.ts'

/** Requests before the load, which k6 counts with those of the load. */
export const setupRequests = new Counter(SETUP_REQUESTS)
