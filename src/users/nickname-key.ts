/** Code points of a key: longer nicknames share an index entry, and are told apart when they are read. */
export const maxNicknameKeyLength = 64;

/**
 * The form in which nicknames are compared: the same for upper and lower case, for full-width and decomposed letters,
 * and for any white space. Accents and marks still count, since some scripts write their vowels with them. Made here
 * and not by the database, so that both engines find the same users. Folding the beginning of a text gives the
 * beginning of the folded text.
 */
export function foldNickname(text: string): string {
  // Upper case first: `ß` and `SS` become the same, as do the three forms of sigma.
  const folded = text.normalize('NFKD').toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFKD');
  // MariaDB ignores spaces at the end, and sorts control characters before them.
  return folded.replace(/[\s\p{Cc}]+/gu, ' ').trimStart();
}

/** The folded beginning of a nickname, for its index; null: there is nothing to find. */
export function nicknameKey(nickname: string | null): string | null {
  const key = beginningOf(foldNickname(nickname ?? '')).trimEnd();
  return key === '' ? null : key;
}

/** As much of a folded text as a key has. */
export function beginningOf(folded: string): string {
  // A code point takes up to two units, so this many are enough.
  return [...folded.slice(0, 2 * maxNicknameKeyLength)].slice(0, maxNicknameKeyLength).join('');
}
