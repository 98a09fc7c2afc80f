import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createArrivalList } from '../../src/http/arrival-list.ts'

type Item = { readonly id: number; before: Item | undefined; after: Item | undefined }

test('holds what a Set would, in the same order, and what has left points to nothing', () => {
  // Each number adds that item when it is not there, and removes it when it is.
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 }), (steps) => {
      const items = Array.from({ length: 10 }, (_, id): Item => ({ id, before: undefined, after: undefined }))
      const list = createArrivalList<Item>()
      const set = new Set<number>()
      for (const id of steps) {
        const item = items[id]!
        if (set.delete(id)) {
          list.remove(item)
          list.remove(item)
          expect([item.before, item.after]).toEqual([undefined, undefined])
        } else {
          set.add(id)
          list.add(item)
        }
        const forwards: number[] = []
        for (let one = list.first(); one !== undefined; one = one.after) forwards.push(one.id)
        expect(forwards).toEqual([...set])
        expect(list.size()).toBe(set.size)
      }
    }),
  )
})
