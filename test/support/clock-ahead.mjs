// Loaded before the service: the wall clock of its process is CLOCK_AHEAD_MS ahead, or behind if negative.
const now = Date.now;
const aheadMs = Number(process.env.CLOCK_AHEAD_MS);
Date.now = () => now() + aheadMs;
