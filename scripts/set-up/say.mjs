/** To stderr, because stdout belongs to the command (`npm run -s cli -- token`). @param {string} line */
export const say = (line) => void process.stderr.write(`${line}\n`);

/** @param {string} message @returns {never} */
export function fail(message) {
  say(message);
  process.exit(1);
}
