/** Domains made to be mistaken for others. @module */

/** Letters and pairs that look like others; also the first letters of other scripts that look Latin. */
const looks: readonly [RegExp, string][] = [
  [/rn/g, "m"],
  [/vv/g, "w"],
  [/cl/g, "d"],
  [/[0оο]/g, "o"],
  [/[1lіıι|!]/g, "i"],
  [/[аα]/g, "a"],
  [/[еε]/g, "e"],
  [/[рρ]/g, "p"],
  [/[сϲ]/g, "c"],
  [/[ху]/g, "x"],
  [/5/g, "s"],
];

/** The appearance of a name at a glance. */
function glance(name: string): string {
  let s = name.toLowerCase().normalize("NFKD").replace(/[\p{M}-]/gu, "");
  for (const [like, letter] of looks) s = s.replace(like, letter);
  return s;
}

/** True if one letter was added, left out or changed, or two neighbours were swapped. */
function oneTypingApart(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let endA = a.length, endB = b.length;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) endA--, endB--;
  if (endA - start <= 1 && endB - start <= 1) return true;
  return endA - start === 2 && endB - start === 2 &&
    a[start] === b[start + 1] && a[start + 1] === b[start];
}

/** Names shorter than this resemble many others by chance. */
const shortest = 6;

/**
 * The domain among `own` that the other one could be mistaken for; undefined if none, or if it is one of them.
 * Domains are registered ones, in lower case, Unicode or ASCII.
 */
export function lookalikeOf(domain: string, own: Iterable<string>): string | undefined {
  const name = domain.split(".")[0];
  const seen = glance(name);
  let found: string | undefined;
  for (const other of own) {
    if (other === domain) return undefined;
    if (found !== undefined) continue;
    const otherName = other.split(".")[0];
    // The same name under another ending is usually the same organisation in another country.
    if (otherName === name || otherName.length < shortest) continue;
    if (glance(otherName) === seen || oneTypingApart(otherName, name)) found = other;
  }
  return found;
}

/** True if a label of the host mixes Latin letters with Cyrillic or Greek ones that look like them. */
export function mixesAlphabets(host: string): boolean {
  return host.split(".").some((label) =>
    /\p{Script=Latin}/u.test(label) && /[\p{Script=Cyrillic}\p{Script=Greek}]/u.test(label)
  );
}
