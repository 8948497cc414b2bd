/** Searching a text in another in linear time, whatever both contain. @module */

/** Keys up to this length use the runtime's search, whose worst case is the product of both lengths. */
const shortKey = 64;

export function contains(text: string, key: string): boolean {
  if (key.length <= shortKey || text.length < key.length) return text.includes(key);
  // Where a comparison continues when a character differs (Knuth, Morris, Pratt).
  const back = new Int32Array(key.length);
  for (let i = 1, k = 0; i < key.length; i++) {
    while (k > 0 && key.charCodeAt(i) !== key.charCodeAt(k)) k = back[k - 1];
    if (key.charCodeAt(i) === key.charCodeAt(k)) k++;
    back[i] = k;
  }
  for (let i = 0, k = 0; i < text.length; i++) {
    while (k > 0 && text.charCodeAt(i) !== key.charCodeAt(k)) k = back[k - 1];
    if (text.charCodeAt(i) === key.charCodeAt(k) && ++k === key.length) return true;
  }
  return false;
}
