/** `mox config tlspubkey gen` and `config ensureacmehostprivatekeys`: generating keys. @module */
import { generateKeyPairSync } from "node:crypto";
import { basename } from "node:path";
import { fileTime } from "../admin/dkim_keys.ts";
import { loadStatic, readConfigFile, type Static, staticConfig } from "../config/mod.ts";
import { type MapNode, parseSconf, printSconf } from "../config/sconf/sconf.ts";
import { selfSignedCertificate } from "../net/mod.ts";
import { ensureDir, writeFileAtomic } from "../platform/files.ts";
import { joinPath, parentDir, resolveFrom } from "../platform/paths.ts";
import { privateKeyFromPem } from "../platform/private_key.ts";
import { writeStdout } from "../platform/stdio.ts";
import { ownLikeFolder } from "../platform/users.ts";
import { type Command, parseFlags } from "./command.ts";
import { configPath } from "./datadir.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

const gen: Command = {
  name: "config tlspubkey gen",
  usage: "config tlspubkey gen stem",
  summary: "Make a key and certificate to log in with",
  help: `
Writes a new ECDSA key to stem.privatekey.pkcs8.pem, and a certificate for it to stem.certificate.pem, for a mail
program to log in with. "mox config tlspubkey add address < stem.certificate.pem" then lets it in.`,
  async run(args) {
    const { args: [stem] } = parseFlags(args, {}, { min: 1 });
    const pair = await selfSignedCertificate({ names: [basename(stem)], days: 10 * 365 });
    const files = [`${stem}.privatekey.pkcs8.pem`, `${stem}.certificate.pem`];
    for (const f of files) {
      if (await Deno.stat(f).then(() => true, () => false)) {
        throw new Error(`${f} is there already`);
      }
    }
    await writeFileAtomic(files[0], bytes(pair.key));
    await writeFileAtomic(files[1], bytes(pair.cert), 0o644);
    writeStdout(`${files.join("\n")}\n`);
  },
};

const kinds = [
  ["rsa2048", () => generateKeyPairSync("rsa", { modulusLength: 2048 })],
  ["ecdsap256", () => generateKeyPairSync("ec", { namedCurve: "P-256" })],
] as const;

/** The kind of key in a file. */
async function kindOf(path: string): Promise<string> {
  const type = privateKeyFromPem(await Deno.readTextFile(path)).asymmetricKeyType;
  return type === "rsa" ? "rsa2048" : "ecdsap256";
}

/** Generates missing keys, and adds them to the configuration. @returns the new files */
async function ensureKeys(s: Static, dir: string, now: Date): Promise<string[]> {
  const made: string[] = [];
  for (const [name, l] of s.Listeners) {
    if (!l.TLS?.ACME) continue;
    const there = await Promise.all(
      l.TLS.HostPrivateKeyFiles.map((f) => kindOf(resolveFrom(dir, f))),
    );
    for (const [kind, generate] of kinds) {
      if (there.includes(kind)) continue;
      const host = l.Hostname || s.Hostname;
      const file = `hostkeys/${host}.${name}.${fileTime(now)}.${kind}.privatekey.pkcs8.pem`;
      const path = joinPath([dir, file]);
      await ensureDir(parentDir(path));
      ownLikeFolder(parentDir(path));
      const pem = generate().privateKey.export({ type: "pkcs8", format: "pem" }).toString();
      await writeFileAtomic(path, bytes(pem));
      ownLikeFolder(path);
      l.TLS.HostPrivateKeyFiles.push(file);
      made.push(path);
    }
  }
  return made;
}

const ensureHostKeys: Command = {
  name: "config ensureacmehostprivatekeys",
  usage: "[-config path] config ensureacmehostprivatekeys",
  summary: "Make private keys that certificates of ACME keep",
  help: `
Makes a key of RSA and one of ECDSA for each listener whose certificates come from ACME and that has none, and names them
in HostPrivateKeyFiles of mox.conf, whose comments stay. Certificates that are requested from then on have these
keys, so that DNS records for DANE can be published ("config dnsrecords" prints them). Restart the server afterwards.`,
  async run(args) {
    parseFlags(args, {});
    const path = configPath();
    const value = await loadStatic(path);
    const made = await ensureKeys(value, parentDir(path), new Date());
    if (made.length === 0) return writeStdout("all keys are there\n");
    const { root } = parseSconf(await readConfigFile(path));
    const changed = staticConfig.update(root, value);
    const mode = (await Deno.stat(path)).mode ?? 0o640;
    await writeFileAtomic(path, bytes(printSconf(changed as MapNode)), mode & 0o777);
    ownLikeFolder(path);
    writeStdout(`made ${made.join("\n     ")}\nand named in ${path}\n`);
  },
};

export const configKeyCommands: readonly Command[] = [gen, ensureHostKeys];
