/** The Range header field (RFC 9110 §14). @module */

/**
 * One range of bytes, `to` not included. Undefined if there is none that is understood, or several:
 * then all is sent, which the RFC allows.
 */
export function parseRange(
  value: string,
  size: number,
): { from: number; to: number } | "unsatisfiable" | undefined {
  const m = /^\s*bytes\s*=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(value);
  if (m === null || (m[1] === "" && m[2] === "")) return undefined;
  if (m[1] === "") {
    const last = Number(m[2]);
    return last === 0 || size === 0
      ? "unsatisfiable"
      : { from: Math.max(0, size - last), to: size };
  }
  const from = Number(m[1]);
  const to = m[2] === "" ? size : Math.min(size, Number(m[2]) + 1);
  if (m[2] !== "" && Number(m[2]) < from) return undefined;
  return from >= size ? "unsatisfiable" : { from, to };
}
