import type { Platform } from './platform.ts'

/** Ways to hurt what the API stands on, each with its remedy. */
export function disturbancesOf({ cluster, namespace, release, pods, query, replaced }: Platform) {
  const replicas = (value: number) => {
    const body = [{ op: 'replace', path: '/spec/replicas', value }]
    return cluster.apps.patchNamespacedStatefulSet({ namespace, name: `${release}-postgres-replica`, body })
  }
  const redis = async (...command: readonly string[]) => {
    const [pod] = await pods('redis')
    return cluster.execute(pod!, ['redis-cli', '-e', ...command])
  }

  return {
    /** Stops the replica. @returns starts it again, and waits until it is ready */
    async stopReplica(): Promise<() => Promise<void>> {
      const [stopped] = await pods('postgres-replica')
      await replicas(0)
      return async () => {
        await replicas(1)
        await replaced('postgres-replica', stopped!)
      }
    },
    /** Fills Redis to 97 % with keys that stay, and then writes on until it evicts. @returns deletes them */
    async fillRedis(): Promise<() => Promise<void>> {
      await redis('eval', FILL, '0')
      await redis('-r', '12', 'eval', OVERFLOW, '0')
      return async () => {
        await redis('eval', EMPTY, '0')
      }
    },
    /** Lets the primary take 0.6 s longer for each statement that stores events. @returns ends that */
    async slowPostgres(): Promise<() => Promise<void>> {
      await query(SLOW)
      return async () => {
        await query(FAST)
      }
    },
  }
}

const FILL = `
local value = string.rep('x', 1000000)
local function bytes(name) return tonumber(string.match(redis.call('info', 'memory'), '\\n' .. name .. ':(%d+)')) end
local n = 0
while bytes('used_memory') < 0.97 * bytes('maxmemory') do
  n = n + 1
  redis.call('set', 'e2e:stays:' .. n, value)
end
return n`

/** What expires soonest is evicted first: these, or a cached report. */
const OVERFLOW = `
local n = redis.call('incr', 'e2e:due')
redis.call('set', 'e2e:due:' .. n, string.rep('x', 1000000), 'px', 60000)
return n`

const EMPTY = `
for _, key in ipairs(redis.call('keys', 'e2e:*')) do redis.call('unlink', key) end`

const SLOW = `
create function hopwhistle.e2e_slowly() returns trigger language plpgsql as
  $$ begin perform pg_sleep(0.6); return null; end $$;
create trigger e2e_slowly before insert on hopwhistle.call_events
  for each statement execute function hopwhistle.e2e_slowly()`

const FAST = `
drop trigger e2e_slowly on hopwhistle.call_events;
drop function hopwhistle.e2e_slowly`
