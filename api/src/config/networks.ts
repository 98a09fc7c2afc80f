import { BlockList, isIP } from 'node:net'

/** @returns what is wrong with a list of networks, if anything is */
export function networksProblem(networks: readonly string[]): string | undefined {
  try {
    networkList(networks)
    return undefined
  } catch {
    return 'must be networks such as 10.1.0.0/16,fd00::/8, separated by commas'
  }
}

/** @throws {Error} one of them is not a network */
export function networkList(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits = '', ...rest] = network.split('/')
    if (!/^\d{1,3}$/.test(bits) || rest.length > 0) throw new Error(`${network} is not a network`)
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}
