/** Commands that move in many users: `mox import imap`, `maildirs`, `sieve`, `accounts` and `aliases`. @module */
import { readPassword, readStdinBytes } from "../platform/terminal.ts";
import type { Json } from "../serve/control/control.ts";
import { adminCommand } from "./admin_call.ts";
import { type Command, UsageError } from "./command.ts";

/** Bytes of a list. */
const maxList = 32 * 1024 * 1024;

async function listText(path: string): Promise<string> {
  const bytes = path === "-" ? await readStdinBytes(maxList) : await Deno.readFile(path);
  if (bytes.length > maxList) throw new UsageError(`${path} is larger than ${maxList} bytes`);
  return new TextDecoder().decode(bytes);
}

const status = (result: Json) => (result as { problems: number }).problems > 0 ? 1 : 0;

/** Failed accounts. */
const mailStatus = (result: Json) => (result as { failed: number }).failed > 0 ? 1 : 0;

function numberFlag(name: string, text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 0) throw new UsageError(`-${name} is a number, not ${text}`);
  return n;
}

const mailHelp = `
  -n      accounts at a time
  -again  look for new mail again after so many seconds, until it is broken off with Ctrl-C`;

export const movingCommands: readonly Command[] = [
  adminCommand({
    name: "import imap",
    usage:
      "-host host [-port port] [-tls tls|starttls|none] (-master user [-separator *] | -table file) " +
      "[-follow] [-n 4] [-again seconds] [account ...]",
    summary: "Bring the mail of many accounts from another IMAP server",
    help: `
Logs in at another server for each account, all or those that are named, and brings what is there: mailboxes, flags,
keywords, dates. What was brought is remembered by mailbox and uid, so it can be broken off, and run again for what is
new, as often as you like until the MX record leads here. A connection that breaks is made anew; an account that
fails is told, and the others go on.

  -host, -port  the other server
  -tls      tls (the default, port 993), starttls or none (port 143; passwords can be read then)
  -master   a user who may log in as others, with address, separator and name as in ann@example.org*master
            (Dovecot's auth_master_user_separator); the password is read from the terminal or standard input
  -table    a CSV file instead: account or address here, user there, password
  -follow   also carry over what has changed there since a message was brought: its flags, and that it was removed.
            Not together with changes at both servers: leave it out once mail is read here. A mailbox that is empty or
            gone there takes nothing away here
${mailHelp.trim()}`,
    flags: {
      host: "",
      port: "0",
      tls: "tls",
      master: "",
      separator: "*",
      table: "",
      follow: false,
      n: "4",
      again: "0",
    },
    min: 0,
    max: 100_000,
    toArgs: async (accounts, f) => {
      if (f.host === "") throw new UsageError("-host is missing: the other server");
      if ((f.master === "") === (f.table === "")) {
        throw new UsageError("give either -master or -table");
      }
      return {
        host: f.host,
        port: numberFlag("port", f.port),
        tls: f.tls,
        separator: f.separator,
        follow: f.follow,
        table: f.table === "" ? "" : await listText(f.table),
        master: f.master,
        password: f.master === ""
          ? ""
          : await readPassword(`password of ${f.master}: `, { once: true }),
        parallel: numberFlag("n", f.n),
        again: numberFlag("again", f.again),
        accounts,
      };
    },
    status: mailStatus,
  }),
  adminCommand({
    name: "import maildirs",
    usage: "-pattern path [-n 4] [-again seconds] [account ...]",
    summary: "Bring the mail of many accounts from Maildirs on this machine",
    help: `
Imports the Maildir of each account that has one, as "mox import maildir" does: all accounts or those that are named.
Messages that are there already are left out, so it can be run again. The running server reads the files: its user
must be allowed to.

  -pattern  path of a Maildir, with %u for the address, %n for what is before the @ and %d for the domain, as in
            Dovecot's mail_location: /var/vmail/%d/%n/Maildir
${mailHelp.trim()}`,
    flags: { pattern: "", n: "4", again: "0" },
    min: 0,
    max: 100_000,
    toArgs: (accounts, f) => {
      if (!/%[und]/.test(f.pattern)) throw new UsageError("-pattern needs %u, or %n and %d");
      return {
        pattern: f.pattern,
        parallel: numberFlag("n", f.n),
        again: numberFlag("again", f.again),
        accounts,
      };
    },
    status: mailStatus,
  }),
  adminCommand({
    name: "import cyrus",
    usage: "-spool path [-domain domain] [-dryrun] [-n 4] [-again seconds] [account ...]",
    summary: "Bring the mail of many accounts from the spool of Cyrus on this machine",
    help: `
Imports the mailboxes of users from the files of Cyrus (2.3 to 3.6): messages with their flags, keywords and dates. Folders
that are named after mailboxes are read, hashed or not, and those of Cyrus 3.6, which are named after their ids. Messages
that are there already are left out, so it can be run again. The running server reads the files: its user must be
allowed to. Subscriptions are not in the spool, and are not brought; messages in an archive partition are told: give its
path as another -spool.

  -spool   a partition (partition-default in imapd.conf), or a folder in it
  -domain  of users without one; without it the one account whose address begins with the user's name
  -dryrun  only say which mailboxes there are
${mailHelp.trim()}`,
    flags: { spool: "", domain: "", dryrun: false, n: "4", again: "0" },
    min: 0,
    max: 100_000,
    toArgs: (accounts, f) => {
      if (f.spool === "") throw new UsageError("-spool is missing: a partition of Cyrus");
      return {
        spool: f.spool,
        domain: f.domain,
        dryRun: f.dryrun,
        parallel: numberFlag("n", f.n),
        again: numberFlag("again", f.again),
        accounts,
      };
    },
    status: mailStatus,
  }),
  adminCommand({
    name: "import sieve",
    usage:
      "(-home path | -sievedir path [-spool path] [-domain domain]) [-dryrun] [-replace] [account ...]",
    summary: "Take over Sieve scripts of many users of Dovecot or Cyrus",
    help: `
Takes over the scripts in the homes of users, as Dovecot keeps them there: .dovecot.sieve, which is the active script or
a link to it, and the others in the folder "sieve"; or those of users of Cyrus. All accounts, or those that are named. Scripts that are here
already stay, and so does the one that is active. One that has errors, or uses an extension that is not known here,
is told with its errors and left out.

  -home     path of a home, with %u for the address, %n for what is before the @ and %d for the domain, as
            "doveadm user -f home ADDRESS" prints it: /var/vmail/%d/%n
  -sievedir of Cyrus' imapd.conf: /var/spool/sieve
  -spool    a partition of Cyrus 3.6, which keeps scripts there: /var/spool/cyrus/mail
  -domain   of users of Cyrus without one
  -dryrun   only check the scripts
  -replace  also store those whose names are taken here`,
    flags: { home: "", sievedir: "", spool: "", domain: "", dryrun: false, replace: false },
    min: 0,
    max: 100_000,
    toArgs: (accounts, f) => {
      if ((f.home === "") === (f.sievedir === "")) {
        throw new UsageError("give either -home or -sievedir");
      }
      if (f.home !== "" && !/%[und]/.test(f.home)) {
        throw new UsageError("-home needs %u, or %n and %d");
      }
      const { home, sievedir, spool, domain } = f;
      return {
        home,
        sievedir,
        spool,
        domain,
        dryRun: f.dryrun,
        replace: f.replace,
        accounts,
      };
    },
    status,
  }),
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
and active. Hashes of passwords are taken as they are, and replaced at the next login: crypt SHA-256, SHA-512 and MD5,
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
