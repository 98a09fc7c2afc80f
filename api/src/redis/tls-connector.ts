import { StandaloneConnector } from 'ioredis/built/connectors/index.js'

/**
 * ioredis' connector, with somebody who listens to every error of a connection. ioredis itself listens to the first:
 * when that is a certificate that is not believed, Node tells of a second, the server's complaint about the sudden end,
 * which nobody would hear, and which would end the process.
 */
export class TlsConnector extends StandaloneConnector {
  constructor(options: unknown) {
    super(options as ConstructorParameters<typeof StandaloneConnector>[0])
  }

  override async connect(...args: Parameters<StandaloneConnector['connect']>) {
    const stream = await super.connect(...args)
    stream.on('error', () => {})
    return stream
  }
}
