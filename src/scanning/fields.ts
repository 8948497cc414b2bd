/** Header fields added by scanners. @module */
import { ScanError } from "./types.ts";

/** Bytes of one field's value. */
const maxValue = 64 * 1024;

/**
 * A field in a form allowed in a message: a valid name (RFC 5322 §2.2), and continuation lines that begin
 * with white space.
 * @throws ScanError for invalid names, and values that are too long
 */
export function checkedField(name: string, value: string): { name: string; value: string } {
  if (!/^[!-9;-~]{1,200}$/.test(name)) {
    throw new ScanError(`it asks for a header field with the name ${JSON.stringify(name)}`);
  }
  if (value.length > maxValue) throw new ScanError(`its header field ${name} is too long`);
  const lines = value.split(/\r\n|\n|\r/).map((line) =>
    // deno-lint-ignore no-control-regex
    line.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, " ")
  );
  return {
    name,
    value: lines.filter((line, i) => i === 0 || line.trim() !== "")
      .map((line, i) => i === 0 || /^[ \t]/.test(line) ? line : ` ${line}`).join("\r\n"),
  };
}
