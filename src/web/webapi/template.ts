/** Replacing {{name}} in texts with values. @module */
import { ApiError } from "./errors.ts";

const escapes: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * The text with its fields filled in. Fields inside values are not replaced.
 * @param html values are escaped for HTML
 * @throws ApiError "missingField" for a name without value
 */
export function fillFields(
  text: string,
  fields: Readonly<Record<string, string>>,
  html: boolean,
): string {
  const out: string[] = [];
  let at = 0;
  for (;;) {
    const start = text.indexOf("{{", at);
    const end = start < 0 ? -1 : text.indexOf("}}", start + 2);
    if (end < 0) break;
    const name = text.slice(start + 2, end).trim();
    if (!Object.hasOwn(fields, name)) {
      throw new ApiError("missingField", `Fields has no value for {{${name.slice(0, 100)}}}`);
    }
    const value = fields[name];
    out.push(text.slice(at, start), html ? value.replace(/[&<>"']/g, (c) => escapes[c]) : value);
    at = end + 2;
  }
  out.push(text.slice(at));
  return out.join("");
}
