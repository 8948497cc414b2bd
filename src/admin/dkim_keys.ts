/** DKIM keys of domains: generating them, writing files, and DNS records. @module */
import { createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { privateKeyFromPem } from "../platform/private_key.ts";
import { selector as selectorType } from "../config/dynamic/domain.ts";
import type { Config, Selector } from "../config/mod.ts";
import { ensureDir, writeFileAtomic } from "../platform/files.ts";
import { parentDir } from "../platform/paths.ts";
import { ownLikeFolder } from "../platform/users.ts";

/** RFC 8301 §3.2 requires RSA with 2048 bits; RFC 8463 adds Ed25519. */
export type DkimAlgorithm = "rsa2048" | "ed25519";

const generate = promisify(generateKeyPair) as unknown as (
  type: string,
  options: Record<string, unknown>,
) => Promise<{ privateKey: KeyObject }>;

/** A new private key in PKCS8 PEM. */
export async function makeDkimKey(algorithm: DkimAlgorithm): Promise<string> {
  const { privateKey } = algorithm === "rsa2048"
    ? await generate("rsa", { modulusLength: 2048 })
    : await generate("ed25519", {});
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** The TXT record of a key (RFC 6376 §3.6.1), from its private key in PEM. */
export function dkimRecordText(privateKeyPem: string, hash = "sha256"): string {
  const key = privateKeyFromPem(privateKeyPem);
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  const ed25519 = key.asymmetricKeyType === "ed25519";
  // RFC 8463 §4.2: the bare 32 bytes at the end of the SubjectPublicKeyInfo.
  const p = (ed25519 ? spki.subarray(spki.length - 32) : spki).toString("base64");
  return `v=DKIM1;${hash === "sha256" ? "" : `h=${hash};`}${ed25519 ? "k=ed25519;" : ""}p=${p}`;
}

/** Time in a file's name: 20261124T013000. */
export function fileTime(now: Date): string {
  return now.toISOString().replace(/[-:]|\.\d+Z$/g, "");
}

/**
 * Creates a key and its file, in the folder `dkim` of the configuration.
 * @returns the selector's settings, and the absolute path of the file
 */
export async function newDkimSelector(
  config: Pick<Config, "configPath">,
  name: string,
  domain: string,
  algorithm: DkimAlgorithm,
  now = new Date(),
): Promise<{ selector: Selector; path: string }> {
  const file = `dkim/${name}._domainkey.${domain}.${
    fileTime(now)
  }.${algorithm}.privatekey.pkcs8.pem`;
  const path = config.configPath(file);
  await ensureDir(parentDir(path));
  ownLikeFolder(parentDir(path));
  await writeFileAtomic(path, new TextEncoder().encode(await makeDkimKey(algorithm)));
  ownLikeFolder(path);
  return {
    selector: {
      ...selectorType.zero(),
      // Changes of white space on the way don't break the signature.
      Canonicalization: { HeaderRelaxed: true, BodyRelaxed: true },
      Expiration: "72h",
      PrivateKeyFile: file,
    },
    path,
  };
}
