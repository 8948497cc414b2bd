/** Clauses of RFC 5804, command by command, and what people have reported of other servers and clients. */
import assert from "node:assert/strict";
import { withServer } from "./client.ts";

const literal = (s: string) => `{${new TextEncoder().encode(s).length}+}\r\n${s}`;
const keep = literal("keep;\r\n");

/** Section, command and answer, one after the other; a row that begins with "#" is of a report. */
const session: readonly [string, string, RegExp][] = [
  ["2.4", `CAPABILITY`, /^"IMPLEMENTATION" [^]*^"VERSION" "1\.0"$[^]*^OK/m],
  ["1.8", `CAPABILITY`, /^"MAXREDIRECTS" "\d+"$/m],
  ["1.8", `CAPABILITY`, /^"NOTIFY" "mailto"$/m],
  ["1.8", `CAPABILITY`, /^"OWNER" "cas/m],
  ["1.2", `capability`, /^OK/m],
  ["1.2", `NOSUCH`, /^NO "/],
  ["2.13", `NOOP`, /^OK "/],
  ["2.13", `NOOP "tag"`, /^OK \(TAG "tag"\) "/],
  ["2.5", `HAVESPACE "a" 99`, /^OK/],
  ["2.5", `HAVESPACE "a" 999999999`, /^NO \(QUOTA\/MAXSIZE\) "/],
  ["2.5", `HAVESPACE "a"`, /^NO "/],
  ["2.5", `HAVESPACE "" 99`, /^NO "/],
  ["2.7", `LISTSCRIPTS`, /^OK/],
  ["2.6", `PUTSCRIPT "a" ${keep}`, /^OK/],
  ["2.6", `PUTSCRIPT "a" "keep;"`, /^OK/],
  ["2.6", `PUTSCRIPT "" ${keep}`, /^NO "/],
  ["2.6", `PUTSCRIPT "bad" ${literal("no such command;\r\n")}`, /^NO "/],
  ["2.6", `PUTSCRIPT "umlaut ä" ${keep}`, /^OK/],
  ["2.6", `PUTSCRIPT ${literal("by literal")} ${keep}`, /^OK/],
  ["1.6", `PUTSCRIPT "a\u2028b" ${keep}`, /^NO "/],
  ["2.7", `LISTSCRIPTS`, /^"a"\n"by literal"\n"umlaut ä"\nOK/],
  ["2.9", `GETSCRIPT "a"`, /^keep;\nOK/],
  ["2.9", `GETSCRIPT "none"`, /^NO \(NONEXISTENT\) "/],
  ["2.8", `SETACTIVE "a"`, /^OK/],
  ["2.7", `LISTSCRIPTS`, /^"a" ACTIVE$/m],
  ["2.8", `SETACTIVE "none"`, /^NO \(NONEXISTENT\) "/],
  ["2.7", `LISTSCRIPTS`, /^"a" ACTIVE$/m],
  ["2.10", `DELETESCRIPT "a"`, /^NO \(ACTIVE\) "/],
  ["2.10", `DELETESCRIPT "none"`, /^NO \(NONEXISTENT\) "/],
  ["2.11", `RENAMESCRIPT "a" "umlaut ä"`, /^NO \(ALREADYEXISTS\) "/],
  ["2.11", `RENAMESCRIPT "none" "x"`, /^NO \(NONEXISTENT\) "/],
  ["2.11", `RENAMESCRIPT "a" "b"`, /^OK/],
  ["2.11", `LISTSCRIPTS`, /^"b" ACTIVE$/m],
  ["2.8", `SETACTIVE ""`, /^OK/],
  ["2.8", `SETACTIVE ""`, /^OK/],
  ["2.10", `DELETESCRIPT "b"`, /^OK/],
  ["2.12", `CHECKSCRIPT ${keep}`, /^OK/],
  ["2.12", `CHECKSCRIPT ${literal("#comment\r\nInvalidCommand;\r\n")}`, /^NO "[^]*2:1/],
  ["2.12", `LISTSCRIPTS`, /^"by literal"\n"umlaut ä"\nOK/],
  ["2.1", `AUTHENTICATE "PLAIN" "AGEAYg=="`, /^NO "/],
  ["2.2", `STARTTLS`, /^NO "/],
  ["4", `PUTSCRIPT "a"`, /^NO "/],
  ["4", `PUTSCRIPT "a" keep`, /^NO "/],
  // Purelymail/purelymail-issues #83, philpennock/sieve-connect #15: CHECKSCRIPT failed for all, also for an empty one.
  ["#", `CHECKSCRIPT ${literal("")}`, /^OK/],
  ["#", `CHECKSCRIPT ""`, /^OK/],
  // cypht-org/php-sieve-manager #5, #6, #11: a script that includes one that isn't there could not be stored, and the
  // client could not read the answer, a literal over several lines.
  [
    "#",
    `PUTSCRIPT "main" ${literal(`require "include";\r\ninclude :personal "blocked_senders";\r\n`)}`,
    /^OK/,
  ],
  // Moosemorals/ManageSieveJ #11, cyrusimap/cyrus-imapd #1638: the answer of GETSCRIPT for one that isn't there.
  ["#", `GETSCRIPT "nothing"`, /^NO \(NONEXISTENT\) "[^"]+"$/],
  // nextcloud/mail #8402: what is wrong is said, with its line.
  ["#", `PUTSCRIPT "x" ${literal(`\r\nfileinto "A";\r\n`)}`, /^NO "[^]*2:1: [^]*require/],
  // RainLoop/rainloop-webmail #1975: a wrong regular expression too.
  [
    "#",
    `PUTSCRIPT "x" ${
      literal(`require "regex";\r\nif header :regex ["Subject"] "*a" { stop; }\r\n`)
    }`,
    /^NO "[^]*2:\d+: [^]*regular expression/,
  ],
  // stalwartlabs/stalwart #2087: Nextcloud's require of "redirect", taken there, failed at each message.
  [
    "#",
    `PUTSCRIPT "x" ${
      literal(`require ["copy", "redirect"];\r\nredirect :copy "a@b.example";\r\n`)
    }`,
    /^NO "[^]*1:18: there is no extension/,
  ],
  // stalwartlabs/stalwart #3313 and #611: two copies go, and what a regular expression finds can be used.
  [
    "#",
    `PUTSCRIPT "x" ${
      literal(
        `require ["copy", "variables", "envelope", "regex", "fileinto"];\r\nredirect :copy "a@b.example";\r\n` +
          `redirect :copy "c@d.example";\r\nif envelope :regex "to" "f\\\\.([^.]+)@(.+)$" { fileinto "INBOX/\${1}"; }\r\n`,
      )
    }`,
    /^OK/,
  ],
];

Deno.test("RFC 5804, clause by clause, and reports about others", () =>
  withServer(async (connect) => {
    const c = await connect();
    await c.logIn();
    for (const [section, command, expected] of session) {
      const answer = (await c.run(command)).replaceAll("\r", "");
      assert.match(answer, expected, `${section} ${command}: ${answer}`);
    }
    // nextcloud/mail #12512: comments of a client come back as they were.
    const script =
      '### Nextcloud Mail: Filters ### DON\'T EDIT ###\r\n# FILTER: [{"name":"ä \\"}"}]\r\nkeep;\r\n';
    assert.match(await c.run(`PUTSCRIPT "nextcloud" ${literal(script)}`), /^OK/);
    assert.ok((await c.run(`GETSCRIPT "nextcloud"`)).startsWith(script));
    // stalwartlabs/stalwart #187: a command whose name is a literal is none, and the session goes on.
    assert.match(await c.run(`${literal("NOOP")}`), /^(?:NO|BYE) "/);
    assert.match(await c.run("LOGOUT"), /^OK/);
  }));
