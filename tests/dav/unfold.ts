/** A text with its folded lines joined. */
export const unfold = (s: string) => s.replace(/\r\n[ \t]/g, "");
