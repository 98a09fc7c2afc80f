/** The control group whose weight and quota decide how much CPU a process gets, from /proc/PID. */
import { existsSync, readFileSync } from 'node:fs'

/** Reads one file. @returns undefined when it does not exist or may not be read */
export type ReadFile = (path: string) => string | undefined

export const readIfThere: ReadFile = (path) => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    // Some files, such as release_agent, may be hidden from this user: only their existence matters.
    return existsSync(path) ? '' : undefined
  }
}

export type CpuCgroup = {
  readonly version: 1 | 2
  /** The folders of its control group and its visible parents: its own first. */
  readonly folders: readonly string[]
}

/**
 * @param cgroup text of /proc/PID/cgroup
 * @param mountinfo text of /proc/PID/mountinfo
 * @returns undefined when no hierarchy with a cpu controller is mounted
 */
export function cpuCgroupOf(cgroup: string, mountinfo: string): CpuCgroup | undefined {
  const lines = cgroup.split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(.+)$/.exec(line) ?? []
    return controllers === undefined || path === undefined ? [] : [{ controllers: controllers.split(','), path }]
  })
  const v1 = lines.find(({ controllers }) => controllers.includes('cpu'))
  const own = v1 ?? lines.find(({ controllers }) => controllers[0] === '')
  const mount = mountsIn(mountinfo).find(({ type, options }) =>
    v1 === undefined ? type === 'cgroup2' : type === 'cgroup' && options.includes('cpu'),
  )
  if (own === undefined || mount === undefined) return undefined
  return { version: v1 === undefined ? 2 : 1, folders: upwards(mount.point, inside(mount.root, own.path)) }
}

/** The same for a running process, on Linux. */
export const cpuCgroupOfProcess = (pid: number | 'self', read: ReadFile = readIfThere): CpuCgroup | undefined =>
  cpuCgroupOf(read(`/proc/${pid}/cgroup`) ?? '', read('/proc/self/mountinfo') ?? '')

/**
 * The folder of the group whose weight the scheduler uses; undefined for the root group, where autogroups apply. In
 * version 2, a control group without the cpu controller is scheduled as part of its parent.
 */
export function taskGroupOf({ version, folders }: CpuCgroup, read: ReadFile): string | undefined {
  if (version === 2) return folders.find((folder) => read(`${folder}/cpu.weight`) !== undefined)
  // A container may see its own group as "/"; only the true root has a release_agent.
  return read(`${folders[0]}/release_agent`) === undefined ? folders[0] : undefined
}

type Mount = {
  readonly root: string
  readonly point: string
  readonly type: string
  readonly options: readonly string[]
}

function mountsIn(mountinfo: string): readonly Mount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ')
    const [, , , root, point] = left.split(' ')
    const [type = '', , options = ''] = right.split(' ')
    return root === undefined || point === undefined ? [] : [{ root, point, type, options: options.split(',') }]
  })
}

/** A path of /proc/PID/cgroup relative to a mount. A container may see the host's path: then its mount is its group. */
function inside(root: string, path: string): string {
  if (root === '/') return path
  if (path === root) return '/'
  return path.startsWith(`${root}/`) ? path.slice(root.length) : '/'
}

function upwards(point: string, path: string): readonly string[] {
  const names = path.split('/').filter((name) => name !== '')
  return Array.from({ length: names.length + 1 }, (_, i) => [point, ...names.slice(0, names.length - i)].join('/'))
}
