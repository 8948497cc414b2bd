/** Mailboxes as paths of an export, and the files that come out. */
import assert from "node:assert/strict";
import { exportFiles } from "../../../src/store/export/export.ts";
import { exportPaths } from "../../../src/store/export/paths.ts";
import { indexName } from "../../../src/store/transfer_index.ts";
import { Flag } from "../../../src/store/types.ts";
import { withStore } from "../setup.ts";

Deno.test("paths that every system can have, each once", () => {
  const path = (name: string) => exportPaths([name]).get(name);
  const rows: [string, string][] = [
    ["Inbox", "Inbox"],
    ["a/b/c", "a/b/c"],
    ['a<>:"\\|?*b', "a________b"],
    [".hidden", "_hidden"],
    ["end.", "end_"],
    ["end ", "end_"],
    ["con", "con_"],
    ["COM1.txt", "COM1.txt_"],
    ["console", "console"],
    ["cur", "cur_"],
    ["a/new", "a/new_"],
    ["x.mbox", "x.mbox_"],
    ["dovecot.index", "dovecot.index_"],
    ["mox-export.json", "mox-export.json_"],
    ["a\u0000b\u009f", "a_b_"],
    ["ä".repeat(80), "ä".repeat(75)],
  ];
  for (const [name, wanted] of rows) assert.equal(path(name), wanted, name);
  // Names that differ only in case, or in what was replaced, get paths of their own; what is below them too.
  const all = exportPaths(["A", "a", "a/x", "A:", "A_", "con/x"]);
  assert.deepEqual([...all], [
    ["A", "A"],
    ["a", "a~2"],
    ["a/x", "a~2/x"],
    ["A:", "A_"],
    ["A_", "A_~2"],
    ["con", "con_"],
    ["con/x", "con_/x"],
  ]);
});

async function bytesOf(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  let all = "";
  for await (const p of pieces) all += new TextDecoder().decode(p);
  return all;
}

Deno.test("an export has messages with their flags, and the list of mailboxes", () =>
  withStore(async (s) => {
    const { account } = s;
    const received = Date.UTC(2026, 0, 2, 3, 4, 5);
    const flags = Flag.Seen | Flag.Forwarded | Flag.Flagged;
    await account.deliver("Inbox", {
      ...await s.message("Subject: a\r\n\r\nFrom here\r\n"),
      flags,
      keywords: ["work"],
      received,
    });
    await account.deliver("Inbox", await s.message("Subject: b\r\n\r\nb\r\n"));
    const boxes = ["Inbox", "Sent"].map((n) => account.mailboxByName(n)!);
    const files = async (format: "mbox" | "maildir", o = {}) => {
      const found: Record<string, string> = {};
      for await (const f of exportFiles(account, boxes, format, o)) {
        found[f.name] = await bytesOf(f.pieces);
      }
      return found;
    };
    const mbox = await files("mbox");
    assert.deepEqual(Object.keys(mbox), ["Inbox.mbox", "Sent.mbox", indexName]);
    assert.match(
      mbox["Inbox.mbox"],
      /^From \S+ Fri Jan {2}2 03:04:05 2026\nX-IMAPbase: \d+ 0{10} .*\$Forwarded.* work\n/,
    );
    assert.match(
      mbox["Inbox.mbox"],
      /\nStatus: RO\nX-Status: F\nX-Keywords: \$Forwarded work\nSubject: a\n\n>From here\n/,
    );
    assert.equal(mbox["Inbox.mbox"].match(/^X-IMAPbase/gm)?.length, 1);
    assert.equal(mbox["Sent.mbox"], "");
    assert.deepEqual(JSON.parse(mbox[indexName]), {
      version: 1,
      mailboxes: [
        { path: "Inbox.mbox", name: "Inbox" },
        { path: "Sent.mbox", name: "Sent", specialUse: "\\Sent" },
      ],
      keywords: {},
    });
    const told: string[] = [];
    const maildir = await files("maildir", {
      separator: ";",
      progress: (b: string, n: number) => told.push(`${b} ${n}`),
    });
    assert.deepEqual(
      told,
      [`Inbox ${"Subject: a\r\n\r\nFrom here\r\n".length}`, "Inbox 17"].map((x) => x),
    );
    const names = Object.keys(maildir);
    assert.deepEqual(
      names.filter((n) => n.endsWith("/")),
      ["Inbox", "Sent"].flatMap((b) => [`${b}/new/`, `${b}/tmp/`, `${b}/cur/`]),
    );
    const message = names.find((n) => /^Inbox\/cur\/.*;2,F[A-Z]*S[ab]+$/.test(n));
    assert.ok(message, names.join("\n"));
    assert.equal(maildir[message], "Subject: a\r\n\r\nFrom here\r\n");
    assert.match(maildir["Inbox/dovecot-keywords"], /^\d [$]Forwarded\n\d work\n$/);
  }));
