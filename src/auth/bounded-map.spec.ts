import { BoundedMap } from './bounded-map.js';

test('never holds more than its most, and forgets the entry that went unused the longest', () => {
  const map = new BoundedMap<string, object>(2);
  const [a, b, c] = [{}, {}, {}];
  map.set('a', a);
  map.set('b', b);
  expect(map.get('a')).toBe(a);
  map.set('c', c);
  expect(map.size).toBe(2);
  expect(map.get('b')).toBeUndefined();
  expect(map.get('a')).toBe(a);
  expect(map.get('c')).toBe(c);
});

test('setting a key again replaces its value and counts once', () => {
  const map = new BoundedMap<string, object>(2);
  const value = {};
  map.set('a', {});
  map.set('a', value);
  expect(map.size).toBe(1);
  expect(map.get('a')).toBe(value);
  map.delete('a');
  expect(map.get('a')).toBeUndefined();
});
