// Loaded before `rollcall backup`: when it says that half is copied, the process stands still, so that a test can end it
// in the middle. What it says is written when this returns, as pipes are synchronous.
const { error } = console;
console.error = (...values) => {
  error(...values);
  if (/^50 %/.test(String(values[0]))) process.kill(process.pid, 'SIGSTOP');
};
