/**
 * What Node is started with where it serves requests. V8's own choice is 64 MiB for a semi-space: garbage of many requests,
 * with the buffers that it holds, waits for one long collection. docs/decisions/0010-a-smaller-nursery.md has the figures.
 */
export const NODE_FLAGS = ['--max-semi-space-size=16'] as const
