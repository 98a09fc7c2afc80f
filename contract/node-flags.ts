/**
 * What Node is started with where it serves requests. V8's own choice is 64 MiB for a semi-space: garbage of many requests,
 * with the buffers that it holds, waits for one long collection. And it collects in a task of its own once 80 % of the space
 * are used, so that the rest is touched only now and then, when that task comes late: memory that grows for hours.
 * docs/decisions/0010-a-smaller-nursery.md has the figures.
 */
export const NODE_FLAGS = ['--max-semi-space-size=16', '--no-minor-gc-task'] as const

/**
 * And glibc's malloc. As it comes it learns from each large block that is freed to take the next ones, of up to 32 MiB, out of the heap
 * that holds the small ones, and one of those keeps all below it from being given back. Numbers of one's own end the learning.
 */
export const MALLOC_ENV = { MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' } as const
