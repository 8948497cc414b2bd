/** Words of a text condition (RFC 8621 §4.4.1, RFC 9610 §3.3.1). @module */

/**
 * The words that all have to be found, in lower case. What is in single or double quotes is one word, in which
 * \", \' and \\ stand for the character after the backslash. A quote without an end is part of its word.
 */
export function wordsOf(text: string): string[] {
  const found: string[] = [];
  const form = /"((?:[^"\\]|\\.)*)"(?=\s|$)|'((?:[^'\\]|\\.)*)'(?=\s|$)|(\S+)/gs;
  for (const m of text.toLowerCase().matchAll(form)) {
    const phrase = m[1] ?? m[2];
    const word = phrase === undefined ? m[3] : phrase.replace(/\\(["'\\])/g, "$1");
    if (word !== "") found.push(word);
  }
  return found;
}
