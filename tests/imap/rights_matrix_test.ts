/**
 * RFC 4314 §4: which rights each command takes. One who has all rights but one is refused exactly what needs that one, and
 * nothing has changed then.
 */
import assert from "node:assert/strict";
import { setLevel } from "../../src/log/mod.ts";
import { type Client, message, startServer } from "./server.ts";

setLevel("imapserver", "error");

const all = "lrswipkxtea";
const team = '"Other Users/mjl/Team"';
const below = (name: string) => `"Other Users/mjl/Team/${name}"`;

interface Row {
  command: (n: number) => string;
  /** Rights that it takes, all of them. */
  needs: string;
  /** The mailbox that is selected before: of others, or one's own. */
  selected?: "team" | "own";
  /** A mailbox below Team that the owner makes before, with the rights of Team. */
  child?: boolean;
}

const text = "Subject: x\r\n\r\nx\r\n";

const rows: Row[] = [
  { command: () => `STATUS ${team} (MESSAGES)`, needs: "r" },
  { command: () => `SELECT ${team}`, needs: "r" },
  { command: () => `EXAMINE ${team}`, needs: "r" },
  { command: () => `MYRIGHTS ${team}`, needs: "" },
  { command: () => `GETACL ${team}`, needs: "a" },
  { command: () => `LISTRIGHTS ${team} chris`, needs: "a" },
  { command: () => `SETACL ${team} chris lr`, needs: "a" },
  { command: () => `DELETEACL ${team} chris`, needs: "a" },
  { command: () => `SUBSCRIBE ${team}`, needs: "l" },
  { command: () => `GETQUOTAROOT ${team}`, needs: "r" },
  { command: () => `APPEND ${team} {${text.length}+}\r\n${text}`, needs: "i" },
  { command: () => `COPY 1 ${team}`, needs: "i", selected: "own" },
  { command: () => `MOVE 1 ${team}`, needs: "i", selected: "own" },
  { command: () => "COPY 1 INBOX", needs: "r", selected: "team" },
  { command: () => "MOVE 1 INBOX", needs: "rte", selected: "team" },
  { command: () => "STORE 1 +FLAGS (\\Seen)", needs: "rs", selected: "team" },
  { command: () => "STORE 1 -FLAGS (\\Seen)", needs: "rs", selected: "team" },
  { command: () => "STORE 1 +FLAGS (\\Flagged)", needs: "rw", selected: "team" },
  { command: () => "STORE 1 +FLAGS (Word)", needs: "rw", selected: "team" },
  { command: () => "STORE 1 +FLAGS (\\Deleted)", needs: "rt", selected: "team" },
  { command: () => "EXPUNGE", needs: "re", selected: "team" },
  { command: () => "UID EXPUNGE 1:*", needs: "re", selected: "team" },
  { command: (n) => `CREATE ${below(`new${n}`)}`, needs: "lk" },
  { command: (n) => `DELETE ${below(`child${n}`)}`, needs: "x", child: true },
  {
    command: (n) => `RENAME ${below(`child${n}`)} ${below(`other${n}`)}`,
    needs: "lxk",
    child: true,
  },
  { command: () => `GETMETADATA ${team} (/shared/comment)`, needs: "lr" },
];

/** What of the mailbox a command might change, as its owner sees it. */
async function seen(mjl: Client): Promise<string[]> {
  await mjl.ok("NOOP");
  return [
    ...await mjl.ok('LIST "" Team*'),
    ...await mjl.ok("GETACL Team"),
    ...await mjl.ok("FETCH 1:* (UID FLAGS)"),
    ...await mjl.ok("STATUS Team (MESSAGES UIDNEXT)"),
  ];
}

Deno.test("who has all rights but one is refused what takes that one, and nothing else", async () => {
  const server = await startServer({ others: ["fred", "chris"] });
  try {
    const mjl = await server.client();
    const fred = await server.client({ as: "fred" });
    await mjl.ok("CREATE Team");
    for (let i = 0; i < 40; i++) await fred.append("INBOX", message(`own${i}`));
    for (let i = 0; i < 40; i++) await mjl.append("Team", message(`m${i}`));
    await mjl.ok("SELECT Team");
    let n = 0;
    for (const missing of ["", ...all]) {
      await mjl.ok(`SETACL Team fred ${all.replace(missing, "")}`);
      for (const row of rows) {
        n++;
        if (row.child) await mjl.ok(`CREATE Team/child${n}`);
        const what = `${row.command(n).slice(0, 60)} without ${missing || "nothing"}`;
        const refused = missing !== "" && row.needs.includes(missing);
        const before = refused ? await seen(mjl) : [];
        if (row.selected !== undefined) {
          const answer = await fred.done(`SELECT ${row.selected === "own" ? "INBOX" : team}`);
          if (row.selected === "team" && missing === "r") {
            assert.match(answer, /^NO \[NOPERM\]/, what);
            continue;
          }
          assert.match(answer, /^OK/, what);
        }
        const answer = await fred.done(row.command(n));
        if (!refused) assert.match(answer, /^OK/, `${what}: ${answer}`);
        else {
          // Who may not see it does not learn that it is there (§6).
          const code = /^NO \[(?:NOPERM|NONEXISTENT)\]/;
          assert.match(answer, code, `${what}: ${answer}`);
          assert.deepEqual(await seen(mjl), before, `${what} changes nothing`);
        }
        await fred.run("UNSELECT");
        if (row.child) {
          for (const name of ["child", "other"]) await mjl.run(`DELETE Team/${name}${n}`);
        }
      }
    }
  } finally {
    await server.stop();
  }
});
