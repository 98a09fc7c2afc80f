import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { readCpuAllowance, usableCores } from '../../machine/cpu-allowance.ts'
import { type CpuCgroup, cpuCgroupOf, type ReadFile, taskGroupOf } from '../../machine/cpu-cgroup.ts'
import { withCpuCgroup } from '../../test-support/cpu-cgroup.ts'

const V1_MOUNTS = `30 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
31 25 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
32 25 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw`
const V2_MOUNTS = '29 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate'

const files =
  (texts: Readonly<Record<string, string>>): ReadFile =>
  (path) =>
    texts[path]
const cgroupOf = (cgroup: string, mounts: string) => cpuCgroupOf(cgroup, mounts) as CpuCgroup

test('with both versions mounted, the one that has the cpu controller counts', () => {
  const text = '5:cpu,cpuacct:/user/mine\n4:memory:/elsewhere\n0::/unified\n'
  expect(cpuCgroupOf(text, V1_MOUNTS)).toEqual({
    version: 1,
    folders: ['/sys/fs/cgroup/cpu,cpuacct/user/mine', '/sys/fs/cgroup/cpu,cpuacct/user', '/sys/fs/cgroup/cpu,cpuacct'],
  })
  expect(cpuCgroupOf('0::/user.slice/mine\n', V2_MOUNTS)).toMatchObject({
    version: 2,
    folders: ['/sys/fs/cgroup/user.slice/mine', '/sys/fs/cgroup/user.slice', '/sys/fs/cgroup'],
  })
  expect(cpuCgroupOf('', '')).toBeUndefined()
})

test('a container that is told the host’s path finds its own group where it is mounted', () => {
  const mounts = '31 25 0:28 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu'
  expect(cgroupOf('3:cpu:/docker/abc\n', mounts).folders).toEqual(['/sys/fs/cgroup/cpu'])
  expect(cgroupOf('3:cpu:/docker/abc/inner\n', mounts).folders).toEqual([
    '/sys/fs/cgroup/cpu/inner',
    '/sys/fs/cgroup/cpu',
  ])
})

test('a container may see its own group as the root; only the true root is taken for it', () => {
  const mounts = '31 25 0:28 / /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu'
  const own = cgroupOf('3:cpu:/\n', mounts)
  expect(taskGroupOf(own, files({ '/sys/fs/cgroup/cpu/release_agent': '' }))).toBeUndefined()
  expect(taskGroupOf(own, files({ '/sys/fs/cgroup/cpu/cpu.shares': '1024' }))).toBe('/sys/fs/cgroup/cpu')
})

test('in version 2 a group without the cpu controller is scheduled with the one above that has it', () => {
  const own = cgroupOf('0::/user.slice/session-2.scope\n', V2_MOUNTS)
  expect(taskGroupOf(own, files({}))).toBeUndefined()
  expect(taskGroupOf(own, files({ '/sys/fs/cgroup/user.slice/cpu.weight': '100' }))).toBe('/sys/fs/cgroup/user.slice')
})

test('the smallest quota on the way up holds; none and one above the cores are none', () => {
  const machine = (quotas: Readonly<Record<string, string>>) =>
    readCpuAllowance(
      files({
        '/proc/self/status': 'Name:\tnode\nCpus_allowed:\tff,0000000f\n',
        '/proc/self/cgroup': '0::/a/b\n',
        '/proc/self/mountinfo': V2_MOUNTS,
        ...quotas,
      }),
    )
  expect(machine({})).toEqual({ cores: 12 })
  expect(machine({ '/sys/fs/cgroup/a/b/cpu.max': 'max 100000\n' })).toEqual({ cores: 12 })
  expect(machine({ '/sys/fs/cgroup/a/b/cpu.max': '1600000 100000\n' })).toEqual({ cores: 12 })
  const both = { '/sys/fs/cgroup/a/b/cpu.max': '400000 100000\n', '/sys/fs/cgroup/a/cpu.max': '75000 50000\n' }
  expect(machine(both)).toEqual({ cores: 12, quotaCores: 1.5 })
  expect([usableCores(machine({})), usableCores(machine(both))]).toEqual([12, 1.5])
})

test('a quota of version 1 is read the same', () => {
  const read = files({
    '/proc/self/status': 'Cpus_allowed:\t3\n',
    '/proc/self/cgroup': '5:cpu,cpuacct:/half\n',
    '/proc/self/mountinfo': V1_MOUNTS,
    '/sys/fs/cgroup/cpu,cpuacct/half/cpu.cfs_quota_us': '50000\n',
    '/sys/fs/cgroup/cpu,cpuacct/half/cpu.cfs_period_us': '100000\n',
    '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
    '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
  })
  expect(readCpuAllowance(read)).toEqual({ cores: 2, quotaCores: 0.5 })
})

test('a process in a group with a quota is told of it, and sees how often it was stopped', async (context) => {
  await withCpuCgroup(context, 0.3, async (command) => {
    const program = `
      import { readCpuAllowance, readQuotaPeriods } from ${JSON.stringify(new URL('../../machine/cpu-allowance.ts', import.meta.url).href)}
      const until = Date.now() + 60_000
      while (readQuotaPeriods().throttled === 0 && Date.now() < until);
      console.log(JSON.stringify({ ...readCpuAllowance(), ...readQuotaPeriods() }))`
    const [file, ...args] = command([process.execPath, '--input-type=module', '--eval', program])
    const { stdout } = await promisify(execFile)(file!, args)
    const seen = JSON.parse(stdout)
    expect(seen).toMatchObject({ quotaCores: 0.3 })
    expect(seen.throttled).toBeGreaterThan(0)
    expect(seen.throttled).toBeLessThanOrEqual(seen.periods)
  })
}, 90_000)
