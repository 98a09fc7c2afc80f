import type { Provider } from './provider.ts'
import { telnyx } from './telnyx.ts'
import { twilio } from './twilio.ts'

/** Those whose callbacks are taken. */
export const PROVIDERS: readonly Provider[] = [twilio, telnyx]
