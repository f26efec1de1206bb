/** A terminal signals both npm and us, and npm passes its signal on: within this time they count as one. */
const SAME_WISH_MS = 500;

/** @param {NodeJS.Signals[]} signals @param {(signal: NodeJS.Signals) => void} listener */
export function onSignal(signals, listener) {
  let heardAt = -Infinity;
  for (const signal of signals) {
    process.on(signal, () => {
      if (performance.now() - heardAt < SAME_WISH_MS) return;
      heardAt = performance.now();
      listener(signal);
    });
  }
}
