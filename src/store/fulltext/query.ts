/** Makes a query of the index from a searched text. @module */

/** Most trigrams in a query: more don't narrow further, and cost time. */
const maxTrigrams = 16;

/**
 * The query for emails that may contain a folded text; undefined if the text is too short for the index, or
 * can't be expressed in a query.
 */
export function trigramQuery(text: string): string | undefined {
  if (text.includes("\0")) return undefined;
  const chars = [...text];
  if (chars.length < 3) return undefined;
  const all = new Set<string>();
  for (let i = 0; i + 3 <= chars.length; i++) all.add(chars.slice(i, i + 3).join(""));
  // Spread over the text, as neighbouring trigrams are nearly equivalent.
  const list = [...all];
  const step = Math.max(1, list.length / maxTrigrams);
  const chosen: string[] = [];
  for (let i = 0; i < list.length && chosen.length < maxTrigrams; i += step) {
    chosen.push(list[Math.floor(i)]);
  }
  return chosen.map((t) => `"${t.replaceAll('"', '""')}"`).join(" ");
}
