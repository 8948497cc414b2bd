/**
 * Checks the files with keys and certificates named in the configuration: they must exist, be readable and be
 * valid. @module
 */
import { createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { privateKeyFromPem } from "../../platform/private_key.ts";
import { resolveFrom } from "../../platform/paths.ts";
import type { Dynamic } from "./dynamic.ts";
import type { PathReport } from "../sconf/schema.ts";
import type { Static } from "../static/static.ts";

type Path = (string | number)[];

/** Reads a file for a check; undefined after reporting that it is unreadable. */
function read(dir: string, file: string, path: Path, report: PathReport): string | undefined {
  const full = resolveFrom(dir, file);
  try {
    return Deno.readTextFileSync(full);
  } catch (err) {
    const why = err instanceof Deno.errors.NotFound
      ? "there is no such file"
      : err instanceof Deno.errors.PermissionDenied
      ? "no permission to read it"
      : err instanceof Error
      ? err.message
      : String(err);
    report(path, `${full}: ${why}`);
    return undefined;
  }
}

function privateKey(
  dir: string,
  file: string,
  path: Path,
  report: PathReport,
): KeyObject | undefined {
  const text = read(dir, file, path, report);
  if (text === undefined) return undefined;
  try {
    return privateKeyFromPem(text);
  } catch {
    report(path, `${resolveFrom(dir, file)} is not a private key in PEM form`);
    return undefined;
  }
}

/** Checks the files of mox.conf. */
export function checkStaticFiles(s: Static, dir: string, report: PathReport): void {
  s.TLS.CA?.CertFiles.forEach((file, i) => {
    const path = ["TLS", "CA", "CertFiles", i];
    const text = read(dir, file, path, report);
    if (text !== undefined && !text.includes("-----BEGIN CERTIFICATE-----")) {
      report(path, `${resolveFrom(dir, file)} has no certificate in PEM form`);
    }
  });
  for (const [name, acme] of s.ACME) {
    const binding = acme.ExternalAccountBinding;
    if (!binding) continue;
    const path = ["ACME", name, "ExternalAccountBinding", "KeyFile"];
    const text = read(dir, binding.KeyFile, path, report);
    if (text !== undefined && !/^[A-Za-z0-9_-]+=*\s*$/.test(text)) {
      report(path, `${resolveFrom(dir, binding.KeyFile)} is not a key in base64url`);
    }
  }
  const secret = (file: string, path: Path) => {
    if (file !== "" && read(dir, file, path, report)?.trim() === "") {
      report(path, `${resolveFrom(dir, file)} is empty`);
    }
  };
  for (const [name, p] of s.OpenIDProviders) {
    secret(p.ClientSecretFile, ["OpenIDProviders", name, "ClientSecretFile"]);
  }
  for (const [name, d] of s.LDAPDirectories) {
    secret(d.BindPasswordFile, ["LDAPDirectories", name, "BindPasswordFile"]);
  }
  for (const [name, l] of s.Listeners) {
    l.TLS?.KeyCerts.forEach((pair, i) => {
      checkPair(dir, pair, ["Listeners", name, "TLS", "KeyCerts", i], report);
    });
    l.TLS?.HostPrivateKeyFiles.forEach((file, i) => {
      const path = ["Listeners", name, "TLS", "HostPrivateKeyFiles", i];
      const key = privateKey(dir, file, path, report);
      const details = key?.asymmetricKeyDetails;
      const fits = key?.asymmetricKeyType === "rsa"
        ? details?.modulusLength === 2048
        : details?.namedCurve === "prime256v1" || details?.namedCurve === "P-256";
      if (key && !fits) {
        report(
          path,
          `${resolveFrom(dir, file)} is neither an RSA key of 2048 bits nor one of P-256`,
        );
      }
    });
  }
}

function checkPair(
  dir: string,
  pair: { CertFile: string; KeyFile: string },
  path: Path,
  report: PathReport,
): void {
  const text = read(dir, pair.CertFile, [...path, "CertFile"], report);
  const key = privateKey(dir, pair.KeyFile, [...path, "KeyFile"], report);
  if (text === undefined) return;
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(text);
  } catch {
    report(
      [...path, "CertFile"],
      `${resolveFrom(dir, pair.CertFile)} has no certificate in PEM form`,
    );
    return;
  }
  if (key && !samePublicKey(certificate, key)) {
    report(path, `the key in ${pair.KeyFile} is not that of the certificate in ${pair.CertFile}`);
  }
}

function samePublicKey(certificate: X509Certificate, key: KeyObject): boolean {
  const options = { type: "spki", format: "der" } as const;
  const own = createPublicKey(key).export(options);
  return own.equals(certificate.publicKey.export(options));
}

/** The files named in domains.conf, as written there: paths relative to the configuration folder. */
export function namedFiles(dynamic: Dynamic): string[] {
  return [...dynamic.Domains.values()]
    .flatMap((d) => [
      d.Journal?.KeyFile ?? "",
      ...[...d.DKIM.Selectors.values()].map((s) => s.PrivateKeyFile),
    ])
    .filter((file) => file !== "");
}

/** Checks the files of domains.conf. */
export function checkDynamicFiles(dynamic: Dynamic, dir: string, report: PathReport): void {
  for (const [domain, config] of dynamic.Domains) {
    const journalKey = config.Journal?.KeyFile ?? "";
    if (journalKey !== "") {
      const path = ["Domains", domain, "Journal", "KeyFile"];
      const text = read(dir, journalKey, path, report);
      if (text !== undefined && !/-----BEGIN (PGP PUBLIC KEY BLOCK|CERTIFICATE)-----/.test(text)) {
        report(
          path,
          `${
            resolveFrom(dir, journalKey)
          } has neither an OpenPGP public key nor a certificate in text form`,
        );
      }
    }
    for (const [name, selector] of config.DKIM.Selectors) {
      const path = ["Domains", domain, "DKIM", "Selectors", name, "PrivateKeyFile"];
      if (selector.PrivateKeyFile === "") continue;
      const key = privateKey(dir, selector.PrivateKeyFile, path, report);
      if (!key) continue;
      const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
      if (key.asymmetricKeyType === "rsa") {
        // RFC 8301 §3.2
        if (bits < 1024) {
          report(path, `the RSA key has ${bits} bits: at least 1024 are needed, better 2048`);
        }
      } else if (key.asymmetricKeyType !== "ed25519") {
        report(path, `a key of kind ${key.asymmetricKeyType}: only rsa and ed25519 sign DKIM`);
      } else if (selector.Hash !== "sha256") {
        report(path, `an Ed25519 key signs with Hash sha256 only`);
      }
    }
  }
}
