/** Readers of a list's pages: members and owners, by a cookie for confirmed addresses. @module */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import type { WebRequest } from "../http/mod.ts";

const cookieName = "moxlist";
/** Days for which a browser stays logged in. */
const days = 30;
const day = 86_400_000;

function mac(key: Uint8Array, list: string, address: string, until: number): string {
  return createHmac("sha256", key).update(`cookie\n${list}\n${address}\n${until}`)
    .digest("base64url");
}

/** The cookie for an address. */
export function readerCookie(
  key: Uint8Array,
  list: string,
  address: string,
  o: { path: string; secure: boolean; now: number },
): string {
  const until = Math.floor(o.now / day) + days;
  const who = Buffer.from(address).toString("base64url");
  return `${cookieName}=${who}.${until}.${mac(key, list, address, until)}; Path=${o.path}; ` +
    `Max-Age=${days * 86_400}; HttpOnly; SameSite=Lax${o.secure ? "; Secure" : ""}`;
}

/** The browser's confirmed address; undefined if none. It may have left the list since. */
export function readerOf(
  key: Uint8Array,
  list: string,
  req: WebRequest,
  now: number,
): string | undefined {
  for (const part of (req.headers.get("cookie") ?? "").slice(0, 8192).split(/; */)) {
    if (!part.startsWith(`${cookieName}=`)) continue;
    const [who, days, code, ...more] = part.slice(cookieName.length + 1).split(".");
    if (code === undefined || more.length > 0 || !/^\d{1,7}$/.test(days)) continue;
    const until = Number(days);
    const address = Buffer.from(who, "base64url").toString();
    const right = Buffer.from(mac(key, list, address, until));
    const given = Buffer.from(code);
    if (right.length !== given.length || !timingSafeEqual(right, given)) continue;
    if (until * day > now) return address;
  }
  return undefined;
}
