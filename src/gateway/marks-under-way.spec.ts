import { MarksUnderWay } from './marks-under-way.js';

describe('acks and read receipts that are not stored yet', () => {
  it('one app may fill half of the capacity, and the next one half of the remainder', () => {
    const marks = new MarksUnderWay();
    const fill = (appId: string): number => {
      let count = 0;
      for (; !marks.isFull(appId); count += 1) marks.add(appId);
      return count;
    };
    expect(fill('flood')).toBe(2_000);
    expect(marks.isFull('quiet')).toBe(false);
    expect(fill('another')).toBe(1_000);
    expect(marks.isFull('quiet')).toBe(false);
    for (let count = 0; count < 2_000; count += 1) marks.remove('flood');
    expect(fill('flood')).toBe(1_500);
  });
});
