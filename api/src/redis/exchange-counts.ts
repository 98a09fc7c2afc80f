import type { ExchangeCounts } from '../access/rates.ts'

/** The part of a Redis client that is needed here. */
type Eval = { eval(script: string, keys: number, ...args: (string | number)[]): Promise<unknown> }

/** One round trip adds a count and reads the total; keys live two seconds, so nothing is left to clean up. */
const ADD = `local total = redis.call('INCRBY', KEYS[1], ARGV[1]) redis.call('PEXPIRE', KEYS[1], 2000) return total`

/** Adds up the events of each tenant and key of one second over all instances. @throws when Redis does not answer */
export function exchangeCounts(redis: Eval): ExchangeCounts {
  return (second, counts) =>
    Promise.all(counts.map(async ([id, count]) => Number(await redis.eval(ADD, 1, `hw:{${id}}:rate:${second}`, count))))
}
