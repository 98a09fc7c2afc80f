import { coresText } from '@hopwhistle/platform/machine/machine-line.ts'
import { expect, test } from 'vitest'
import { fitFor, machineText, readFit } from '../../bench/machine/fit.ts'
import { ENVIRONMENT } from '../fixtures/result-with.ts'

test.each([
  [{ cores: 1 }, 1, 1],
  [{ cores: 2 }, 1, 2],
  [{ cores: 4 }, 2, 4],
  [{ cores: 6 }, 3, 4],
  [{ cores: 64 }, 3, 4],
  [{ cores: 8, quotaCores: 2.5 }, 1, 2],
  [{ cores: 8, quotaCores: 0.5 }, 1, 1],
])('%o: %i instances of the API, %i VUs with subscribers', (allowance, apiInstances, subscriberVUs) => {
  expect(fitFor(allowance)).toEqual({ apiInstances, subscriberVUs })
})

test('what the user sets takes the place of either, and nonsense is refused by name', () => {
  expect(readFit({ API_INSTANCES: '3' }, { cores: 2 })).toEqual({ apiInstances: 3, subscriberVUs: 2 })
  expect(readFit({ SUBSCRIBER_VUS: '10', API_INSTANCES: '' }, { cores: 2 })).toEqual({
    apiInstances: 1,
    subscriberVUs: 10,
  })
  expect(() => readFit({ API_INSTANCES: 'many' }, { cores: 2 })).toThrow('API_INSTANCES is "many"')
})

test('cores, quota, score and what fits them are said in one line', () => {
  const machine = {
    ...ENVIRONMENT.machine,
    quotaCores: 1,
    singleThreadScore: { name: 'mix-1', perSecond: 1910 } as const,
  }
  expect(machineText(machine, { apiInstances: 1, subscriberVUs: 1 })).toBe(
    '2 cores, of which a CPU quota allows 1, single-threaded score 1,910: 1 API instance, 1 subscriber VU',
  )
  expect(coresText({ cores: 1 })).toBe('1 core')
  // Of a cluster whose nodes may not be listed.
  expect(machineText({ ...ENVIRONMENT.machine, cores: 0 }, { apiInstances: 1 })).toBe('cores not known: 1 API instance')
})
