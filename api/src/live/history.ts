import type { MessageLog } from '../redis/message-log.ts'
import type { EncodedMessage } from './messages.ts'
import { decodeBody } from './messages.ts'
import type { Received } from './received.ts'

export type HistoryPage = {
  readonly epoch: string
  /** False when what directly follows is gone. */
  readonly complete: boolean
  readonly messages: readonly EncodedMessage[]
  /** How far the messages go. */
  readonly to: number
}

/** What follows an offset, from memory or from the log. @throws when Redis does not answer */
export async function historyAfter(
  after: number,
  { tenantId, log, received }: { readonly tenantId: string; readonly log: MessageLog; readonly received: Received },
): Promise<HistoryPage> {
  const known = received.after(after)
  if (known !== undefined) {
    return { epoch: received.at().epoch, complete: true, messages: known, to: known.at(-1)!.offset }
  }
  const page = await log.read(tenantId, after)
  const messages = page.batches.flatMap((batch) => decodeBody(batch.from, batch.body))
  return {
    epoch: page.epoch,
    complete: page.complete,
    messages: messages.filter((message) => message.offset > after),
    to: page.batches.at(-1)?.to ?? after,
  }
}
