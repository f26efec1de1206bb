// Loaded before `rollcall backup`: when it reports half, the process suspends itself, so that a test can end it in the
// middle. Its output has been written when this returns, as pipes are synchronous.
const { error } = console;
console.error = (...values) => {
  error(...values);
  if (/^50 %/.test(String(values[0]))) process.kill(process.pid, 'SIGSTOP');
};
