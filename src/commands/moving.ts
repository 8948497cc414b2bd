/** `mox import accounts` and `mox import aliases`. @module */
import { readStdinBytes } from "../platform/terminal.ts";
import type { Json } from "../serve/control/control.ts";
import { adminCommand } from "./admin_call.ts";
import { type Command, UsageError } from "./command.ts";

/** Bytes of a list that is read. */
const maxList = 32 * 1024 * 1024;

async function listText(path: string): Promise<string> {
  const bytes = path === "-" ? await readStdinBytes(maxList) : await Deno.readFile(path);
  if (bytes.length > maxList) throw new UsageError(`${path} is larger than ${maxList} bytes`);
  return new TextDecoder().decode(bytes);
}

const status = (result: Json) => (result as { problems: number }).problems > 0 ? 1 : 0;

export const movingCommands: readonly Command[] = [
  adminCommand({
    name: "import accounts",
    usage: "[-dryrun] [-format passwd|csv|json] [-domain domain] [-replacepasswords] file",
    summary: "Make accounts for the users of another server",
    help: `
Reads a list of users, from a file or from standard input with "-", and makes what is missing: domains, accounts,
addresses, passwords. What is there stays as it is, so a list can be imported again with what has come to it. What
can't be taken is told with its line, and ends it with status 1; all else is done.

A passwd-file is user:hash:…, as Dovecot, /etc/shadow and (with bars) docker-mailserver have it. CSV has a head, and JSON
is a list of objects, with the fields address (or email, username), account, hash, password, name, quota, aliases
and active. Hashes of passwords are taken as they are, and replaced at the next login: crypt SHA-256 and SHA-512,
bcrypt, argon2, PBKDF2, SSHA, SSHA256, SSHA512 and SCRAM, with Dovecot's {SCHEME} before them or without.

  -dryrun            only say what would be done
  -format            by default what the list looks like
  -domain            of users without one
  -replacepasswords  also of accounts that have one`,
    flags: { dryrun: false, format: "", domain: "", replacepasswords: false },
    min: 1,
    toArgs: async ([path], flags) => ({
      text: await listText(path),
      format: flags.format,
      domain: flags.domain,
      dryRun: flags.dryrun,
      replace: flags.replacepasswords,
    }),
    status,
  }),
  adminCommand({
    name: "import aliases",
    usage: "[-dryrun] [-domain domain] file",
    summary: "Take over aliases from a table of Postfix",
    help: `
Reads a table of Postfix, as virtual_alias_maps names it or /etc/aliases, from a file or from standard input with
"-". What leads to one account here becomes an address of it; what leads to several, or to other servers, an alias
(messages to other servers are forwarded with SRS and ARC); an account's own address has its mail forwarded;
@domain becomes a catch-all, or with @other the addresses of another domain; a domain alone is added. What is
there stays as it is. Import accounts first.

  -dryrun   only say what would be done
  -domain   of keys and values without one`,
    flags: { dryrun: false, domain: "" },
    min: 1,
    toArgs: async ([path], flags) => ({
      text: await listText(path),
      domain: flags.domain,
      dryRun: flags.dryrun,
    }),
    status,
  }),
];
