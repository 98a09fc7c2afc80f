/** WebSocket frames of a server, and the few that a reader sends. */
const NOTHING = Buffer.alloc(0)

export const OPCODE = { text: 0x1, close: 0x8, ping: 0x9, pong: 0xa } as const

/** Calls `onFrame` for each complete frame of a stream, and keeps an incomplete one until the rest arrives. */
export function frameReader(onFrame: (opcode: number, payload: Buffer) => void): (chunk: Buffer) => void {
  let rest = NOTHING as Buffer
  return (chunk) => {
    let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (;;) {
      if (data.length < 2) break
      const short = data[1]! & 0x7f
      const header = short === 127 ? 10 : short === 126 ? 4 : 2
      if (data.length < header) break
      const length = short === 127 ? Number(data.readBigUInt64BE(2)) : short === 126 ? data.readUInt16BE(2) : short
      if (data.length < header + length) break
      onFrame(data[0]! & 0x0f, data.subarray(header, header + length))
      data = data.subarray(header + length)
    }
    // The chunk's buffer is reused for the next chunk.
    rest = data.length === 0 ? NOTHING : Buffer.from(data)
  }
}

/** A client's frame is masked; a mask of zeros leaves the payload as it is. @param payload below 64 KiB */
export function clientFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload
  const size = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([0x80 | opcode, ...size, 0, 0, 0, 0]), payload])
}
