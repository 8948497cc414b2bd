/**
 * The certificate authorities that this machine trusts, read by us: the runtime reveals its own list only to
 * programs with full system permission.
 *
 * Unix systems have them in one file, at a path that depends on the family, or in a folder. Windows keeps them
 * in a store that only its cryptography library can read, through foreign functions: it is opened before that
 * permission is given up, and stays open. As Windows downloads most of them only when one of its own programs
 * needs them, the program ships with the runtime's built-in ones there.
 *
 * @module
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { isWindows } from "./os.ts";

/** Files with all of them, in search order. */
const bundles = [
  // Debian, Ubuntu, Arch, Gentoo, NixOS; Alpine with its package ca-certificates.
  "/etc/ssl/certs/ca-certificates.crt",
  // Fedora and RHEL.
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  // openSUSE.
  "/etc/ssl/ca-bundle.pem",
  "/var/lib/ca-certificates/ca-bundle.pem",
  // macOS, the BSDs, Alpine.
  "/etc/ssl/cert.pem",
  "/usr/local/etc/ssl/cert.pem",
  "/usr/local/share/certs/ca-root-nss.crt",
];

/** Folders with a file for each, if there is no bundle. */
const folders = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/** Most files of a folder that are read. */
const maxFiles = 2000;

/** PEM certificates of one source. */
export interface SystemAuthorities {
  /** A file, a folder, or the name of a store; "" if there is none. */
  from: string;
  /** Text with certificates in PEM, and maybe other lines. */
  pem: string;
}

/** A stamp that changes with the source; "" if there is none. Checks one file's times. */
export function systemAuthoritiesStamp(): string {
  if (isWindows) return "store";
  for (const path of [...bundles, ...folders]) {
    const info = statSync(path, { throwIfNoEntry: false });
    if (info) return `${path} ${info.mtimeMs} ${info.size} ${info.ino}`;
  }
  return "";
}

/** Reads them. Takes some milliseconds. */
export function readSystemAuthorities(): SystemAuthorities {
  if (isWindows) {
    return { from: "the store ROOT of Windows", pem: `${windowsRoots()}\n${shippedRoots()}` };
  }
  for (const path of bundles) {
    const pem = textOf(path);
    if (pem.includes("-----BEGIN")) return { from: path, pem };
  }
  for (const folder of folders) {
    let names: string[];
    try {
      names = readdirSync(folder);
    } catch {
      continue;
    }
    const pem = names.filter((n) => /\.(?:pem|crt)$/.test(n)).slice(0, maxFiles)
      .map((n) => textOf(join(folder, n))).join("\n");
    if (pem.includes("-----BEGIN")) return { from: folder, pem };
  }
  return { from: "", pem: "" };
}

/** The text of a file; "" if unreadable. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

const cryptSymbols = {
  CertOpenSystemStoreW: { parameters: ["usize", "buffer"], result: "pointer" },
  CertEnumCertificatesInStore: { parameters: ["pointer", "pointer"], result: "pointer" },
  CertCloseStore: { parameters: ["pointer", "u32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

let crypt: Deno.DynamicLibrary<typeof cryptSymbols> | undefined;

/**
 * Opens what {@link readSystemAuthorities} needs, while foreign functions are still allowed. Only does
 * something on Windows.
 */
export function openSystemAuthorities(): void {
  if (!isWindows || crypt) return;
  try {
    crypt = Deno.dlopen("crypt32.dll", cryptSymbols);
  } catch {
    // Without the permission there are none: connecting reports that.
  }
}

/** The authorities shipped with the program, for Windows; "" when it runs from its sources. */
function shippedRoots(): string {
  try {
    return readFileSync(new URL("./roots.pem", import.meta.url), "utf8");
  } catch {
    return "";
  }
}

/** The root store, as PEM. */
function windowsRoots(): string {
  openSystemAuthorities();
  if (!crypt) return "";
  const c = crypt.symbols;
  const name = new Uint16Array([..."ROOT\0"].map((ch) => ch.charCodeAt(0)));
  const store = c.CertOpenSystemStoreW(0n, new Uint8Array(name.buffer));
  if (store === null) return "";
  const found: string[] = [];
  // struct CERT_CONTEXT of 64 bits: the encoding's type, a pointer to the bytes after padding, their number.
  const bytesAt = 8;
  const lengthAt = 16;
  const x509 = 1;
  let context: Deno.PointerValue = null;
  while ((context = c.CertEnumCertificatesInStore(store, context)) !== null) {
    const view = new Deno.UnsafePointerView(context);
    const bytes = view.getPointer(bytesAt);
    if ((view.getUint32(0) & x509) === 0 || bytes === null) continue;
    const der = new Uint8Array(view.getUint32(lengthAt));
    new Deno.UnsafePointerView(bytes).copyInto(der);
    found.push(
      `-----BEGIN CERTIFICATE-----\n${der.toBase64().replace(/.{64}/g, "$&\n")}\n` +
        "-----END CERTIFICATE-----\n",
    );
  }
  c.CertCloseStore(store, 0);
  return found.join("");
}
