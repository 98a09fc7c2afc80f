import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** The part of a Redis client that runs scripts. */
export type RunsScripts = {
  evalsha(sha: string, keys: number, ...args: (string | number | Buffer)[]): Promise<unknown>
  eval(script: string, keys: number, ...args: (string | number | Buffer)[]): Promise<unknown>
}

export type Script = (
  redis: RunsScripts,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
) => Promise<unknown>

/** A script by its hash; its text is sent only to a server that does not know it yet. */
export function script(...names: readonly string[]): Script {
  const lua = names.map((name) => readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8')).join('\n')
  const sha = hash('sha1', lua, 'hex')
  return async (redis, keys, args) => {
    try {
      return await redis.evalsha(sha, keys.length, ...keys, ...args)
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return redis.eval(lua, keys.length, ...keys, ...args)
    }
  }
}
