import { PagePositions, strideRows } from './page-positions.js';

const place = (rank: number, countedAt = 0) => ({ rank, key: rank, countedAt });

test('finds the nearest position outside the page, only within the same app and order', () => {
  const positions = new PagePositions();
  for (const rank of [5, 40, 90]) positions.remember('app', 'id', place(rank * strideRows));
  expect(positions.nearest('app', 'id', 50 * strideRows, 50 * strideRows + 19, 0)?.rank).toBe(40 * strideRows);
  expect(positions.nearest('app', 'id', 40 * strideRows - 5, 40 * strideRows + 5, 0)?.rank).toBe(5 * strideRows);
  expect(positions.nearest('app', 'username', 0, 19, 0)).toBeNull();
  expect(positions.nearest('other', 'id', 0, 19, 0)).toBeNull();
});

test('a position is valid for a minute from the start of its walk, wherever that led', () => {
  const positions = new PagePositions();
  positions.remember('app', 'id', place(1000, 500));
  expect(positions.nearest('app', 'id', 0, 1, 60_500)?.rank).toBe(1000);
  expect(positions.nearest('app', 'id', 0, 1, 60_501)).toBeNull();
});

test('keeps the latest position of each stride', () => {
  const positions = new PagePositions();
  positions.remember('app', 'id', place(10));
  positions.remember('app', 'id', place(20));
  expect(positions.nearest('app', 'id', 0, 1, 0)?.rank).toBe(20);
});
