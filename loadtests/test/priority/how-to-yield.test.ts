import { expect, test } from 'vitest'
import { howToYield, type Surroundings } from '../../bench/priority/how-to-yield.ts'

const V1 = '31 25 0:28 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu'
const V2 = '29 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw'
const AUTOGROUP = '/proc/sys/kernel/sched_autogroup_enabled'
const V1_ROOT = { '/sys/fs/cgroup/cpu/release_agent': '' }

/** @param cgroup text of /proc/PID/cgroup, of k6 and of the servers */
function how(cgroup: string, mountinfo: string, files: Record<string, string>, given: Partial<Surroundings> = {}) {
  return howToYield({
    platform: 'linux',
    generator: cgroup,
    servers: [cgroup, cgroup],
    mountinfo,
    read: (path) => files[path],
    ...given,
  })
}

test('in the root group with autogroups, sessions have the weight', () => {
  const on = { [AUTOGROUP]: '1\n' }
  expect(how('1:cpu:/\n0::/\n', V1, { ...V1_ROOT, ...on })).toEqual({ method: 'autogroup' })
  expect(how('0::/\n', V2, on)).toEqual({ method: 'autogroup' })
  expect(how('0::/user.slice/session-1.scope\n', V2, on), 'the cpu controller is not enabled there').toEqual({
    method: 'autogroup',
  })
  expect(how('', '', on), 'no control groups at all').toEqual({ method: 'autogroup' })
})

test('in the root group without autogroups, nice counts', () => {
  expect(how('1:cpu:/\n', V1, { ...V1_ROOT, [AUTOGROUP]: '0\n' })).toEqual({ method: 'nice' })
  expect(how('1:cpu:/\n', V1, V1_ROOT), 'a kernel without them').toEqual({ method: 'nice' })
})

test('in another group nice counts, autogroups or not', () => {
  const on = { [AUTOGROUP]: '1\n' }
  expect(how('1:cpu:/half\n', V1, { ...V1_ROOT, ...on })).toEqual({ method: 'nice' })
  expect(how('1:cpu:/\n', V1, on), 'the root that a container sees is its own group').toEqual({ method: 'nice' })
  const delegated = { ...on, '/sys/fs/cgroup/user.slice/cpu.weight': '100\n' }
  expect(how('0::/user.slice/session-1.scope\n', V2, delegated)).toEqual({ method: 'nice' })
})

test('a platform in another group than k6 cannot be made to yield, and it is said why', () => {
  const files = { ...V1_ROOT, [AUTOGROUP]: '1\n' }
  expect(how('1:cpu:/\n', V1, files, { servers: ['1:cpu:/\n', '1:cpu:/apps\n'] })).toEqual({
    method: 'none',
    why: 'the platform is in the control group /sys/fs/cgroup/cpu/apps and k6 in the root group, whose weights count',
  })
  expect(how('1:cpu:/apps\n', V1, files, { servers: ['1:cpu:/\n'] })).toMatchObject({ method: 'none' })
})

test('elsewhere than on Linux nice counts, but on Windows nothing is known', () => {
  expect(how('', '', {}, { platform: 'darwin' })).toEqual({ method: 'nice' })
  expect(how('', '', {}, { platform: 'win32' })).toMatchObject({ method: 'none' })
})
