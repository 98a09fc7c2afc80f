import { DEMO_API_KEY, DEMO_TENANT_ID } from '@hopwhistle/contract/demo.ts'
import { HEADERS } from '@hopwhistle/contract/routes.ts'

/** The key of every request of the benchmark, and its tenant. */
export const HEADERS_OF_KEY = { [HEADERS.apiKey]: DEMO_API_KEY }
export const TENANT_ID = DEMO_TENANT_ID
