/**
 * A network of this process's own (a Linux network namespace). Rules in it affect no other program, and it is removed
 * with its last process.
 */
import { execFileSync, spawnSync } from 'node:child_process'

/** Loses packets on the way to a port of this machine, and back. */
export type PacketFilter = {
  loseNone(): void
  /** @param ratio of all packets, both directions together. Drops every n-th, starting at a random one of the first n */
  loseSome(ratio: number, random: () => number): void
  loseAll(): void
}

const MARK = 'HOPWHISTLE_OWN_NETWORK'
const UP = 'ip link set lo up'

/** Whether this process, and so every process that it starts, runs in one. */
export const inOwnNetwork = (): boolean => process.env[MARK] === 'yes'

/** What this machine lacks for one; undefined when nothing. */
export function missingForOwnNetwork(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'root on Linux, for a network of its own'
  const lose = ['iptables', '-A', 'INPUT', ...some(2, 0)].join(' ')
  const { status } = spawnSync('unshare', ['--net', 'sh', '-c', `${UP} && ${lose}`], { stdio: 'ignore' })
  return status === 0 ? undefined : 'unshare, ip and iptables with its statistic match, for a network of its own'
}

/** The command that starts a program in a new one. */
export function inNewNetwork(
  command: string,
  args: readonly string[],
): { command: string; args: string[]; env: object } {
  return {
    command: 'unshare',
    args: ['--net', 'sh', '-c', `${UP} && exec "$0" "$@"`, command, ...args],
    env: { [MARK]: 'yes' },
  }
}

/** Sets iptables rules for this port. Only in a network of our own: elsewhere they would affect other programs. */
export function packetFilter(port: number): PacketFilter {
  if (!inOwnNetwork()) throw new Error('this would lose packets of others')
  const chain = `port-${port}`
  iptables('-N', chain)
  for (const end of ['--dport', '--sport']) iptables('-A', 'INPUT', '-p', 'tcp', end, String(port), '-j', chain)
  const only = (...rule: readonly string[]) => {
    iptables('-F', chain)
    if (rule.length > 0) iptables('-A', chain, ...rule)
  }
  return {
    loseNone: () => only(),
    loseSome: (ratio, random) => {
      const every = Math.round(1 / ratio)
      only(...some(every, Math.floor(random() * every)))
    },
    loseAll: () => only('-j', 'DROP'),
  }
}

const some = (every: number, first: number): readonly string[] =>
  `-m statistic --mode nth --every ${every} --packet ${first} -j DROP`.split(' ')

const iptables = (...args: readonly string[]): void => void execFileSync('iptables', ['--wait', ...args])
