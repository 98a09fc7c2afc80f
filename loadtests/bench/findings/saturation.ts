/** From which use on, as a part of what there is, a resource holds the platform back. */

/** CPU that is used more than this queues, and latency grows out of proportion. */
export const SATURATED_CPU = 0.85
export const SATURATED_EVENT_LOOP = 0.8
export const SATURATED_DISK = 0.8
export const SATURATED_MEMORY = 0.9
export const SATURATED_LIMIT = 0.8
