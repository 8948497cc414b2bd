/**
 * Parameters of MAIL and RCPT (RFC 5321 §4.1.2) and the forms of their values.
 *
 * @module
 */
import { SmtpError } from "./errors.ts";

/** 501 5.5.4: a parameter with an invalid value. */
export function parameterError(text: string): SmtpError {
  return new SmtpError(501, "5.4", text);
}

/**
 * The parameters after a path, by name in upper case; the value is undefined where there is no "=". Only those
 * in the list are known: others give 555 (RFC 5321 §4.1.1.11).
 */
export function parseParameters(
  text: string,
  known: readonly string[],
): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  if (text === "") return found;
  if (text[0] !== " ") throw new SmtpError(501, "5.2", "space expected after address");
  for (const word of text.split(" ")) {
    if (word === "") continue;
    const equals = word.indexOf("=");
    const name = (equals < 0 ? word : word.slice(0, equals)).toUpperCase();
    if (!isKeyword(name)) throw parameterError("parameter name expected");
    if (!known.includes(name)) {
      throw new SmtpError(555, "5.4", `parameter ${name.slice(0, 50)} is not known`);
    }
    if (found.has(name)) throw parameterError(`parameter ${name} given twice`);
    const value = equals < 0 ? undefined : word.slice(equals + 1);
    if (value === "") throw parameterError(`value of ${name} expected`);
    found.set(name, value);
  }
  return found;
}

function isKeyword(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    const ok = (c >= 0x41 && c <= 0x5a) || (c >= 0x30 && c <= 0x39) || (c === 0x2d && i > 0);
    if (!ok) return false;
  }
  return name.length > 0;
}

/** A value of decimal digits, at most 2^53 - 1; larger ones become Infinity. */
export function parseNumber(value: string | undefined, name: string, maxDigits = 20): number {
  if (value === undefined || value.length > maxDigits || !isDigits(value)) {
    throw parameterError(`number expected for ${name}`);
  }
  const n = Number(value);
  return Number.isSafeInteger(n) ? n : Infinity;
}

/** True for one or more of 0-9. */
export function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x30 || c > 0x39) return false;
  }
  return text.length > 0;
}

/**
 * RFC 3461 §4: text in which "+hh" stands for a byte. With `utf8`, characters beyond ASCII stand for
 * themselves; with `lenient`, also "=", and "+" where no byte follows, as written by programs that don't know
 * xtext.
 */
export function parseXtext(
  value: string | undefined,
  name: string,
  utf8 = false,
  lenient = false,
): string {
  if (value === undefined) throw parameterError(`value of ${name} expected`);
  let out = "";
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c === 0x2b) {
      const hex = value.slice(i + 1, i + 3);
      const n = hex.length === 2 ? hexNumber(lenient ? hex.toUpperCase() : hex) : -1;
      if (n < 0 && !lenient) throw parameterError(`+hh expected in ${name}`);
      out += n < 0 ? "+" : String.fromCharCode(n);
      if (n >= 0) i += 2;
    } else if (c > 0x20 && c < 0x7f && (lenient || c !== 0x3d) || (c > 0x9f && utf8)) {
      out += value[i];
    } else {
      throw parameterError(`characters in ${name} that can't be used`);
    }
  }
  return out;
}

/** RFC 6533 §3: utf-8-addr-xtext, in which \x{hhhh} stands for a character. Linear in the length. */
export function parseUtf8Xtext(value: string, name: string): string {
  let out = "";
  for (let i = 0; i < value.length; i++) {
    if (!value.startsWith("\\x{", i)) {
      out += value[i];
      continue;
    }
    const close = value.indexOf("}", i);
    const hex = value.slice(i + 3, close);
    const n = close > 0 && hex.length > 0 && hex.length <= 6 ? hexNumber(hex.toUpperCase()) : -1;
    if (n < 0 || n > 0x10ffff || (n >= 0xd800 && n < 0xe000)) {
      throw parameterError(`\\x{hhhh} expected in ${name}`);
    }
    out += String.fromCodePoint(n);
    i = close;
  }
  return out;
}

function hexNumber(text: string): number {
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const digit = c >= 0x30 && c <= 0x39 ? c - 0x30 : c >= 0x41 && c <= 0x46 ? c - 0x37 : -1;
    if (digit < 0) return -1;
    n = n * 16 + digit;
  }
  return n;
}

/**
 * A date and time of RFC 3339, "2026-11-23T22:01:23Z", in milliseconds since the epoch.
 */
export function parseDateTime(value: string | undefined, name: string): number {
  const m = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/i.exec(
    (value ?? "").slice(0, 64),
  );
  const t = m === null ? NaN : Date.parse(value!.toUpperCase());
  if (Number.isNaN(t)) throw parameterError(`date and time expected for ${name}`);
  return t;
}
