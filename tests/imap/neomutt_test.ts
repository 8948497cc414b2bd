/** neomutt through a day of use: its keys are pushed, and what it did is looked up on the server. */
import assert from "node:assert/strict";
import { findProgram, lacks } from "../support/programs.ts";
import { login, message, password, startServer } from "./server.ts";

/** Settings that keep it from asking, and the keys. */
function settings(port: number, dir: string, keys: string): string {
  return [
    `set imap_user="${login}"`,
    `set imap_pass="${password}"`,
    `set folder="imap://127.0.0.1:${port}/"`,
    `set spoolfile="imap://127.0.0.1:${port}/INBOX"`,
    "set ssl_starttls=no",
    "set ssl_force_tls=no",
    "set sleep_time=0",
    "set confirmappend=no",
    "set confirmcreate=no",
    "set delete=yes",
    "set quit=yes",
    "set move=no",
    "set record=''",
    "set wait_key=no",
    "set mark_old=no",
    "set sort=threads",
    "set imap_idle=yes",
    `set header_cache="${dir}/cache"`,
    `push '${keys}'`,
  ].join("\n");
}

Deno.test({
  name: "neomutt: list, search, flag, copy, create, move, thread, delete, and again with its cache",
  ignore: lacks("neomutt") || findProgram("script") === undefined,
  async fn() {
    const s = await startServer();
    const dir = await Deno.makeTempDir();
    try {
      const c = await s.client();
      for (const x of ["one", "two", "three", "four"]) {
        await c.append("INBOX", message(x, `text of ${x}\r\n`));
      }
      await c.append("INBOX", message("Re: one", "x\r\n", "References: <one@example.org>\r\n"));
      const run = async (keys: string) => {
        await Deno.writeTextFile(`${dir}/rc`, settings(s.port, dir, keys));
        const neomutt = `${findProgram("neomutt")} -n -F ${dir}/rc`;
        const out = await new Deno.Command(findProgram("script")!, {
          args: ["-qec", neomutt, "/dev/null"],
          env: { HOME: dir, TERM: "xterm", LINES: "40", COLUMNS: "120" },
          stdin: "null",
        }).output();
        assert.equal(out.code, 0, new TextDecoder().decode(out.stdout).slice(-2000));
      };
      const all = "<limit>~A<enter>";
      await run(
        `<limit>~s two<enter><flag-message>${all}` +
          // By the text of the body, which the server searches.
          '<limit>=b "text of three"<enter><copy-message>=Archive<enter>' + all +
          "<limit>~s four<enter><save-message>=work<enter>" + all +
          "<limit>~s two<enter><set-flag>r" + all + "<sync-mailbox><quit>",
      );
      const lines = async (mailbox: string) => {
        await c.ok(`SELECT ${mailbox}`);
        return (await c.ok("UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
          .map((l) => l.replace(/^.*FLAGS \(([^)]*)\).*Subject: ([^\r]*)[^]*$/s, "$2: $1"));
      };
      assert.deepEqual(await lines("INBOX"), [
        "one: ",
        "two: \\Seen \\Answered \\Flagged",
        "three: ",
        "Re: one: ",
      ]);
      assert.deepEqual(await lines("Archive"), ["three: "]);
      assert.deepEqual(await lines("work"), ["four: "]);
      // Others have been there meanwhile; now with what it has in its cache.
      await c.ok("SELECT INBOX");
      await c.ok("STORE 2 -FLAGS (\\Flagged)");
      await c.append("INBOX", message("five"));
      await run("<limit>~s one<enter><delete-thread><limit>~A<enter><sync-mailbox><quit>");
      assert.deepEqual(await lines("INBOX"), ["two: \\Seen \\Answered", "three: ", "five: "]);
    } finally {
      await s.stop();
      await Deno.remove(dir, { recursive: true });
    }
  },
});
