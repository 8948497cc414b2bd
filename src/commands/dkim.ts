/** `mox dkim lookup`, `verify`, `sign`, `txt`, `gened25519` and `genrsa`. @module */
import { privateKeyFromPem } from "../platform/private_key.ts";
import { dkimRecordText, makeDkimKey } from "../admin/mod.ts";
import { parseDuration } from "../config/mod.ts";
import { Log } from "../log/mod.ts";
import { writeStderr, writeStdout } from "../platform/stdio.ts";
import { readStdin } from "../platform/terminal.ts";
import {
  authenticate,
  authorDomain,
  type DkimSigner,
  lookupDkimKey,
  scanHeader,
  signDkim,
} from "../senderauth/mod.ts";
import { type Command, parseFlags } from "./command.ts";
import { loadConfig } from "./datadir.ts";
import { dnssec, messageParts, readMessage, resolverOf, serverFlag, serverHelp } from "./inputs.ts";

export const dkimLookup: Command = {
  name: "dkim lookup",
  usage: "dkim lookup [-server address] selector domain",
  summary: "Look up a domain's DKIM key",
  help: `
Looks up the public key of a selector at selector._domainkey.domain, checks it, and prints what it is.
${serverHelp}`,
  async run(args) {
    const { flags, args: [selector, domain] } = parseFlags(args, serverFlag, { min: 2 });
    const found = await lookupDkimKey(resolverOf(flags), selector, domain);
    if ("status" in found) {
      writeStdout(`${found.status}: ${found.error}, ${dnssec(found.authenticated)}\n`);
      return 1;
    }
    const { key } = found;
    const notes = [
      `${key.type} key of ${key.bits} bits`,
      dnssec(found.authenticated),
      ...(key.hashes ? [`hashes: ${key.hashes.join(", ")}`] : []),
      ...(key.testing ? ["the domain is testing DKIM"] : []),
      ...(key.strictIdentity ? ["not for subdomains"] : []),
      ...(key.forMail ? [] : ["not for mail"]),
    ];
    writeStdout(`${notes.join(", ")}\n`);
    return 0;
  },
};

export const dkimVerify: Command = {
  name: "dkim verify",
  usage: "dkim verify [-server address] [message]",
  summary: "Verify the DKIM signatures of a message",
  help: `
Verifies each DKIM signature of a message (standard input if none is named), and prints the results.
The exit status is 0 if one passes.
${serverHelp}`,
  async run(args) {
    const { flags, args: [file] } = parseFlags(args, serverFlag, { max: 1 });
    const { dkim, dkimSkipped } = await authenticate({
      ...messageParts(await readMessage(file)),
      // Only the signatures are of interest.
      remoteIp: "127.0.0.1",
      ehlo: "localhost",
      mailFrom: "",
      resolver: resolverOf(flags),
      log: new Log("dkim"),
      hostname: "localhost",
      now: new Date(),
    });
    if (dkim.length === 0) writeStdout("the message has no DKIM signature\n");
    for (const d of dkim) {
      const what = [
        d.domain === undefined ? "" : `domain ${d.domain}`,
        d.selector === undefined ? "" : `selector ${d.selector}`,
        d.algorithm ?? "",
        d.keyBits === undefined ? "" : `${d.keyBits} bits`,
        d.testing ? "testing" : "",
        dnssec(d.recordAuthenticated),
        d.error ?? "",
      ].filter((s) => s !== "");
      writeStdout(`${d.status}: ${what.join(", ")}\n`);
    }
    if (dkimSkipped > 0) writeStdout(`${dkimSkipped} further signatures were not looked at\n`);
    return dkim.some((d) => d.status === "pass") ? 0 : 1;
  },
};

export const dkimSign: Command = {
  name: "dkim sign",
  usage: "dkim sign [message]",
  summary: "Sign a message with the keys of its domain",
  help: `
Prints the DKIM-Signature fields for a message (standard input if none is named), with the keys that
the configuration has for the domain of its From address. Put them in front of the message.`,
  async run(args) {
    const { args: [file] } = parseFlags(args, {}, { max: 1 });
    const parts = messageParts(await readMessage(file));
    const author = authorDomain(scanHeader(parts.headerBytes));
    if ("error" in author) throw new Error(author.error);
    const config = await loadConfig();
    const entry = config.domain(author.domain);
    if (!entry) throw new Error(`${author.domain} is not a domain of the configuration`);
    const { DKIM } = entry.config;
    if (DKIM.Sign.length === 0) throw new Error(`${author.domain} is not configured to sign`);
    const signers: DkimSigner[] = [];
    for (const name of DKIM.Sign) {
      const selector = DKIM.Selectors.get(name);
      if (!selector) throw new Error(`domain ${author.domain} has no selector ${name}`);
      const pem = await Deno.readTextFile(config.configPath(selector.PrivateKeyFile));
      signers.push({
        domain: author.domain,
        selector: name,
        privateKey: privateKeyFromPem(pem),
        headers: selector.Headers.length > 0 ? selector.Headers : undefined,
        oversign: !selector.DontSealHeaders,
        headerForm: selector.Canonicalization.HeaderRelaxed ? "relaxed" : "simple",
        expiresIn: selector.Expiration === ""
          ? undefined
          : (parseDuration(selector.Expiration) ?? 0) / 1000,
        bodyForm: selector.Canonicalization.BodyRelaxed ? "relaxed" : "simple",
      });
    }
    writeStdout(await signDkim({ ...parts, signers, now: new Date() }));
  },
};

export const dkimTxt: Command = {
  name: "dkim txt",
  usage: "dkim txt < key.pem",
  summary: "Print the DNS record of a DKIM private key",
  help: `
Reads a private key (PKCS8 in PEM) from standard input, and prints the TXT record to publish for it at
selector._domainkey.domain, cut into strings of at most 255 bytes as zone files want them.`,
  async run(args) {
    parseFlags(args, {});
    const record = dkimRecordText(await readStdin());
    const strings = record.match(/.{1,255}/g)!.map((s) => `"${s}"`);
    writeStdout(`<selector>._domainkey.<domain>. TXT ( ${strings.join(" ")} )\n`);
  },
};

function keyCommand(name: string, algorithm: "rsa2048" | "ed25519", what: string): Command {
  return {
    name: `dkim ${name}`,
    usage: `dkim ${name} > key.pem`,
    summary: `Make ${what} for DKIM`,
    help: `
Makes ${what}, and prints it as PKCS8 in PEM, for PrivateKeyFile of a selector. "mox dkim txt" prints
the record for it.`,
    async run(args) {
      parseFlags(args, {});
      writeStdout(await makeDkimKey(algorithm));
      writeStderr("keep this key secret; its DNS record comes from: mox dkim txt < key.pem\n");
    },
  };
}

export const dkimGenEd25519 = keyCommand("gened25519", "ed25519", "an Ed25519 key");
export const dkimGenRsa = keyCommand("genrsa", "rsa2048", "an RSA key of 2048 bits");
