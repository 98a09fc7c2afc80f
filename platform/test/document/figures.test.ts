import { expect, test } from 'vitest'
import { bytes, figure, list, ms, number, percent, plural } from '../../document/figures.ts'

test('figures have as many digits as they deserve', () => {
  expect([0, 0.0421, 0.421, 4.21, 42.1, 4210].map(figure)).toEqual(['0', '0.042', '0.42', '4.2', '42', '4,210'])
  expect([number(1234567.891, 2), number(-0.001, 1), ms(8.26), percent(0.7234)]).toEqual([
    '1,234,567.89',
    '0.0',
    '8.3 ms',
    '72 %',
  ])
  expect([0, 512, 3_565_158, 2_147_483_648].map(bytes)).toEqual(['0 B', '512 B', '3.4 MB', '2.0 GB'])
  expect([list([]), list(['a']), list(['a', 'b', 'c']), plural(1, 'core'), plural(1200, 'core')]).toEqual([
    '',
    'a',
    'a, b and c',
    '1 core',
    '1,200 cores',
  ])
})
