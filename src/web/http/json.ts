/**
 * JSON of requests, bounded before it is parsed: JSON.parse runs in one go, and many small values take far
 * more memory than their text.
 *
 * @module
 */

/** Levels of arrays and objects: deeper nesting is abuse. */
export const maxJsonDepth = 64;
/** Values, including members of objects; parsing so many takes some 30 ms. */
export const maxJsonValues = 200_000;

/** Why a text isn't accepted as JSON. */
export class JsonError extends Error {
  override name = "JsonError";
}

/** Which limit is exceeded; checked before parsing, so the text needn't be valid JSON. */
function excess(text: string): string | undefined {
  let depth = 0;
  let values = 1;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 92) i++;
      else if (c === 34) inString = false;
    } else if (c === 34) inString = true;
    else if (c === 123 || c === 91) {
      if (++depth > maxJsonDepth) return `values are nested more than ${maxJsonDepth} levels deep`;
      if (++values > maxJsonValues) return `it has more than ${maxJsonValues} values`;
    } else if (c === 125 || c === 93) depth--;
    else if (c === 44 && ++values > maxJsonValues) {
      return `it has more than ${maxJsonValues} values`;
    }
  }
  return undefined;
}

/** The value of a text, or of UTF-8 bytes. @throws JsonError */
export function parseJson(body: string | Uint8Array): unknown {
  let text: string;
  try {
    text = typeof body === "string" ? body : new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch (cause) {
    throw new JsonError("the request is not UTF-8", { cause });
  }
  const reason = excess(text);
  if (reason !== undefined) throw new JsonError(reason);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new JsonError(`the request is not JSON: ${(cause as Error).message}`, { cause });
  }
}
