/** A key for a second factor (TOTP), in the form for apps: an otpauth URI and its QR code. @module */
import qrcode from "qrcode-generator";
import { newTotpKey } from "../../store/logins/totp.ts";
import { UserError } from "../http/mod.ts";

/** Message when the first code of a key is wrong. */
export const wrongFirstCode = "the code is wrong: look whether the clock of your device is right";

/** A text as a QR code: modules per side, and the dark ones as an SVG path. */
export function qrPath(content: string): { size: number; path: string } {
  const code = qrcode(0, "M");
  code.addData(content);
  code.make();
  const size = code.getModuleCount();
  let path = "";
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) if (code.isDark(y, x)) path += `M${x} ${y}h1v1h-1z`;
  }
  return { size, path };
}

/** A new key, not in use yet. */
export function newFactor(
  hostname: string,
  login: string,
): { key: string; uri: string; size: number; path: string } {
  const key = newTotpKey();
  const issuer = encodeURIComponent(hostname);
  const label = encodeURIComponent(`${hostname}:${login}`);
  const uri = `otpauth://totp/${label}?secret=${key}&issuer=${issuer}`;
  return { key, uri, ...qrPath(uri) };
}

/** A key as returned by a page. @throws UserError */
export function checkedKey(key: string): string {
  if (!/^[A-Z2-7]{16,100}$/.test(key)) throw new UserError("that is no key");
  return key;
}
