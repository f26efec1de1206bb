import { FrameTurns } from './frame-turns.js';

const nextTurn = () => new Promise(setImmediate);

describe('fair scheduling of frames between apps', () => {
  it('handles the first frames immediately, and all of them in the order in which their app sent them', async () => {
    const turns = new FrameTurns();
    const handled: number[] = [];
    const took = Array.from({ length: 100 }, (_none, index) =>
      turns.take('one', 15_000, () => void handled.push(index)),
    );
    expect(took.slice(0, 4)).toEqual([true, true, true, true]);
    expect(took.slice(10)).not.toContain(true);
    for (let turn = 0; turn < 40; turn += 1) await nextTurn();
    expect(handled).toEqual(Array.from({ length: 100 }, (_none, index) => index));
  });

  it('processes a flood from one app a slice at a time, so that frames of other apps are not delayed', async () => {
    const turns = new FrameTurns();
    let flooded = 0;
    for (let index = 0; index < 1_000; index += 1) turns.take('flood', 15_000, () => (flooded += 1));
    for (let turn = 0; turn < 20; turn += 1) {
      const before = flooded;
      let quiet = false;
      expect(turns.take('quiet', 100, () => (quiet = true))).toBe(true);
      expect(quiet).toBe(true);
      await nextTurn();
      expect(flooded - before).toBeLessThanOrEqual(5);
      expect(flooded).toBeGreaterThan(before);
    }
  });

  it('counts short frames too', async () => {
    const turns = new FrameTurns();
    let handled = 0;
    for (let index = 0; index < 1_000; index += 1) turns.take('one', 10, () => (handled += 1));
    expect(handled).toBeLessThanOrEqual(70);
    for (let turn = 0; turn < 30; turn += 1) await nextTurn();
    expect(handled).toBe(1_000);
  });
});
