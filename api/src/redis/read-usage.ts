/** What all clients of the server use together; in a cluster, of one of its nodes. */
export type RedisUsage = { readonly connections: number; readonly memoryBytes: number }

/** The part of ioredis that is needed here; a Cluster has it, too. */
type Info = { info(): Promise<string> }

/** @throws when the server does not answer */
export async function readRedisUsage(redis: Info): Promise<RedisUsage> {
  const text = await redis.info()
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  return { connections: field('connected_clients'), memoryBytes: field('used_memory') }
}
