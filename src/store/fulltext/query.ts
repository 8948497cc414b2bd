/** From a text that is searched to a query of the index. @module */

/** Trigrams asked for at most: more narrow no further, and cost time. */
const maxTrigrams = 16;

/**
 * The query for emails that may contain a folded text; undefined if the text is too short for the index,
 * or can't be put into a query.
 */
export function trigramQuery(text: string): string | undefined {
  if (text.includes("\0")) return undefined;
  const chars = [...text];
  if (chars.length < 3) return undefined;
  const all = new Set<string>();
  for (let i = 0; i + 3 <= chars.length; i++) all.add(chars.slice(i, i + 3).join(""));
  // Spread over the text, as neighbours say much the same.
  const list = [...all];
  const step = Math.max(1, list.length / maxTrigrams);
  const chosen: string[] = [];
  for (let i = 0; i < list.length && chosen.length < maxTrigrams; i += step) {
    chosen.push(list[Math.floor(i)]);
  }
  return chosen.map((t) => `"${t.replaceAll('"', '""')}"`).join(" ");
}
