import { DEFAULT_PORT } from '@hopwhistle/contract/routes.ts'
import { Failure } from '../lib/failure.ts'
import { freePort, portIsFree } from '../lib/free-port.ts'
import { portHolder } from './port-holder.ts'

/** `required` fails when the port is taken; `preferred` takes another then. */
export type PortWish = { readonly number: number; readonly when: 'required' | 'preferred' }

/** @throws {Failure} naming the port and who has it */
export async function choosePort({ number, when }: PortWish): Promise<number> {
  if (await portIsFree(number, '0.0.0.0')) return number
  if (when === 'preferred') return freePort()
  const holder = portHolder(number)
  throw new Failure(
    `port ${number}, where the API is to listen, is in use${holder === undefined ? '' : ` by ${holder}`}; ` +
      `stop that, or choose another: PORT=${number === DEFAULT_PORT ? DEFAULT_PORT + 1000 : DEFAULT_PORT} make up`,
  )
}
