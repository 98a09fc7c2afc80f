/** Finds Redis and k6, and installs what is missing: `make install`. Ends with 2 when it cannot, saying what to do. */
import { EXIT, Failure } from '../loadtests/bench/lib/failure.ts'
import { openTerminal } from '../loadtests/bench/lib/terminal.ts'
import { findK6 } from '../loadtests/bench/tools/find-k6.ts'
import { findRedis } from '../loadtests/bench/tools/find-redis.ts'

const terminal = openTerminal()
try {
  await findRedis(terminal)
  await findK6(terminal)
} catch (error) {
  terminal.clear()
  process.stderr.write(`${error instanceof Failure ? error.message : ((error as Error).stack ?? error)}\n`)
  process.exitCode = EXIT.failed
}
