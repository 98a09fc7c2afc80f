import { api } from './api.ts'
import type { Board } from './board.ts'
import { limitsBoard } from './limits.ts'
import { liveBoard } from './live.ts'
import { loadTest } from './load-test.ts'
import { overview } from './overview.ts'
import { postgres } from './postgres.ts'
import { redisBoard } from './redis.ts'

/** In the order of their links. */
export const BOARDS: readonly Board[] = [overview, api, postgres, redisBoard, liveBoard, limitsBoard, loadTest]
