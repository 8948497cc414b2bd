/** Export and import of a running server: a round trip keeps all, and Python's mailbox module reads it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { programArgs } from "../support/program.ts";
import { lacks } from "../support/programs.ts";
import { loggedIn } from "../support/imap_client.ts";
import { mox, startLocalserve } from "../support/localserve.ts";

const reader = `
import mailbox, sys, email
kind, path = sys.argv[1:]
box = mailbox.mbox(path) if kind == "mbox" else mailbox.Maildir(path)
for m in sorted(box, key=lambda m: m["subject"]):
    print(m["subject"], "".join(sorted(m.get_flags().replace("O", ""))), len(m.get_payload()))
`;

Deno.test(
  { name: "export, and import again, as mbox and Maildir", ignore: lacks("python3") },
  async () => {
    const server = await startLocalserve();
    const dir = await Deno.makeTempDir();
    try {
      const client = await loggedIn(server);
      await client.mailboxCreate("Inbox sub/Deep");
      const flags = [["\\Seen"], ["\\Seen", "\\Flagged", "work"], ["\\Answered", "$NotJunk"], []];
      for (const [i, f] of flags.entries()) {
        const text =
          `From: a@example.org\r\nSubject: message ${i}\r\nMessage-ID: <${i}@x.example>\r\n\r\n` +
          `From the first line\r\n>From quoted\r\nbody ${i}\r\n`;
        await client.append(
          i < 3 ? "INBOX" : "Inbox sub/Deep",
          text,
          f,
          new Date(Date.UTC(2026, 0, 1 + i)),
        );
      }
      const fetchAll = async (path: string) => {
        const lock = await client.getMailboxLock(path);
        const out: unknown[] = [];
        for await (
          const m of client.fetch("1:*", { flags: true, source: true, internalDate: true })
        ) {
          out.push([
            m.source!.toString(),
            [...m.flags!].filter((x) => x !== "\\Recent").sort(),
            m.internalDate,
          ]);
        }
        lock.release();
        return out;
      };
      const original = await fetchAll("INBOX");
      const deep = await fetchAll("Inbox sub/Deep");
      for (const kind of ["mbox", "maildir"]) {
        const out = join(dir, kind);
        const e = await mox(["export", kind, "-dir", server.dir, "mox", out]);
        assert.equal(e.code, 0, e.stderr);
        const inbox = join(out, kind === "mbox" ? "Inbox.mbox" : "Inbox");
        const python = await new Deno.Command("python3", { args: ["-c", reader, kind, inbox] })
          .output();
        const seen = new TextDecoder().decode(python.stdout);
        assert.match(
          seen,
          // In a Maildir keywords are letters: "work" the first, $NotJunk the second.
          /^message 0 R?S?\w* \d+\nmessage 1 F\w* \d+\nmessage 2 (?:A|Rb) \d+\n$/,
          seen,
        );
        // By its name, no junk flags are set by themselves.
        const into = `Inbox back ${kind}`;
        const i = await mox(["import", kind, "-dir", server.dir, "mox", into, inbox]);
        assert.equal(i.code, 0, i.stderr + i.stdout);
        assert.match(i.stdout, /3 messages imported, 0 warnings/);
        assert.deepEqual(await fetchAll(into), original);
        const below = join(out, kind === "mbox" ? "Inbox sub/Deep.mbox" : "Inbox sub/Deep");
        const d = await mox(["import", kind, "-dir", server.dir, "mox", `${into}/Deep`, below]);
        assert.equal(d.code, 0, d.stderr + d.stdout);
        assert.deepEqual(await fetchAll(`${into}/Deep`), deep);
        // All of a folder at once, with the mailboxes' names.
        const all = await mox([
          "import",
          kind,
          "-dir",
          server.dir,
          "mox",
          `Inbox all ${kind}`,
          out,
        ]);
        assert.match(all.stdout, /^\d+ messages imported, 0 warnings$/m, all.stderr + all.stdout);
        assert.deepEqual(await fetchAll(`Inbox all ${kind}/Inbox`), original);
        assert.deepEqual(await fetchAll(`Inbox all ${kind}/Inbox sub/Deep`), deep);
        const again = ["import", kind, "-skipduplicates", "-dir", server.dir, "mox", "", out];
        const nothing = await mox(again);
        assert.match(nothing.stdout, /^0 messages imported, \d+ were there already, 0 warnings$/m);
      }
      const missing = await mox([
        "import",
        "mbox",
        "-dir",
        server.dir,
        "mox",
        "X",
        join(dir, "none"),
      ]);
      assert.equal(missing.code, 1);
      assert.match(missing.stderr, /nothing was imported/);
      await client.logout();
    } finally {
      await server.close();
      await Deno.remove(dir, { recursive: true });
    }
  },
);

/** A mailbox file of so many messages. */
async function writeMbox(path: string, count: number): Promise<void> {
  const one = (i: number) => `From a@b.example Tue Mar  3 10:20:30 2026\nSubject: m${i}\n\nx\n\n`;
  await Deno.writeTextFile(path, Array.from({ length: count }, (_, i) => one(i)).join(""));
}

/** Begins an import, breaks it off when it has told of messages, and returns what it said at last. */
async function brokenOff(dir: string, file: string): Promise<string> {
  const args = programArgs(["import", "mbox", "-dir", dir, "mox"]);
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args, "Broken off", file],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  for await (const _ of command.stdout) {
    command.kill("SIGINT");
    break;
  }
  const said = await new Response(command.stderr).text();
  assert.ok(!(await command.status).success);
  return said;
}

Deno.test({
  name: "an import by command that is broken off leaves nothing, with a running server and without",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const server = await startLocalserve();
    const file = await Deno.makeTempFile();
    const mailboxes = () =>
      mox(["export", "mbox", "-dir", server.dir, "mox", `${file}-${crypto.randomUUID()}`]);
    try {
      await writeMbox(file, 50_000);
      await brokenOff(server.dir, file);
      while ((await mailboxes()).stdout.includes("Broken off")) {
        // The server is taking it away.
      }
      await server.stop();
      assert.match(await brokenOff(server.dir, file), /broken off; nothing was imported/);
      const { stdout } = await mailboxes();
      assert.match(stdout, /^Inbox: 0 messages$/m);
      assert.doesNotMatch(stdout, /Broken off/);
    } finally {
      await server.close();
      for (const e of Deno.readDirSync(join(file, ".."))) {
        const path = join(file, "..", e.name);
        if (path.startsWith(file)) await Deno.remove(path, { recursive: true });
      }
    }
  },
});
