/** swaks and Python's smtplib, imaplib and urllib as a member: subscribing, writing, reading, leaving. */
import assert from "node:assert/strict";
import { lacks } from "../support/programs.ts";
import { mox, startLocalserve } from "../support/localserve.ts";

const python = `
import email, imaplib, re, smtplib, sys, time, urllib.request
from email.message import EmailMessage
smtp_port, imap_port, http_port = map(int, sys.argv[1:4])

def send(to, subject, sender="eve@remote.example", text="hello\\n"):
    m = EmailMessage()
    m["From"], m["To"], m["Subject"] = sender, to, subject
    m["Message-ID"] = "<%s@remote.example>" % abs(hash((to, subject)))
    m.set_content(text)
    with smtplib.SMTP("127.0.0.1", smtp_port) as s:
        s.send_message(m)

def wait(pattern):
    """The first message that matches; it comes from the queue."""
    while True:
        with imaplib.IMAP4("127.0.0.1", imap_port) as c:
            c.login("mox@localhost", "moxmoxmox")
            c.select("INBOX", readonly=True)
            for n in c.search(None, "ALL")[1][0].split():
                raw = c.fetch(n, "(BODY.PEEK[])")[1][0][1]
                if re.search(pattern, raw.decode("latin1"), re.I | re.M):
                    return email.message_from_bytes(raw)
        time.sleep(0.1)

send("talk-subscribe@localhost", "please")
asked = wait("^Subject: Confirm: subscribe to talk")
token = email.utils.parseaddr(asked["From"])[1]
send(token, "Re: " + asked["Subject"])
wait("^Subject: Welcome to talk")
send("talk@localhost", "to everybody")
copy = wait("^List-Id: <talk.localhost>\\\\r\\\\n[^$]*^Subject: to everybody")
print(copy["List-Id"], copy["List-Post"], copy["Precedence"], sep="|")
link = re.search("<(https?://[^>]+)>", copy["List-Unsubscribe"]).group(1)
path = re.sub("^https?://[^/]+", "", link)
base = "http://127.0.0.1:%d" % http_port
seen = urllib.request.urlopen(base + path).read().decode()
print("eve@remote.example gets" in seen)
done = urllib.request.urlopen(base + path, data=b"List-Unsubscribe=One-Click").read().decode()
print("You have left the list" in done)
wait("^Subject: You have left talk")
`;

Deno.test({
  name: "a list by swaks and Python: the whole life of a member",
  ignore: lacks("python3", "swaks"),
  async fn() {
    const s = await startLocalserve();
    try {
      const add = ["config", "list", "add", "-dir", s.dir, "-posting", "anyone"];
      const made = await mox([...add, "talk@localhost", "mox@localhost"]);
      assert.equal(made.code, 0, made.stderr);
      const r = await new Deno.Command("python3", {
        args: ["-c", python, ...[s.smtp, s.imap, s.http].map(String)],
        stdout: "piped",
        stderr: "piped",
      }).output();
      const text = (b: Uint8Array) => new TextDecoder().decode(b);
      assert.equal(r.code, 0, text(r.stderr));
      assert.deepEqual(text(r.stdout).trim().split("\n"), [
        "<talk.localhost>|<mailto:talk@localhost>|list",
        "True",
        "True",
      ]);
      const members = await mox(["list", "members", "-dir", s.dir, "talk@localhost"]);
      assert.deepEqual([members.code, members.stdout], [0, ""]);
      const swaks = async (...args: string[]) => {
        const { code, stdout } = await new Deno.Command("swaks", {
          args: ["--server", `127.0.0.1:${s.smtp}`, "--from", "joe@remote.example", ...args],
          stdout: "piped",
          stderr: "piped",
        }).output();
        return { code, text: text(stdout) };
      };
      const loop = await swaks(
        "--to",
        "talk@localhost",
        "--add-header",
        "List-Id: <talk.localhost>",
      );
      assert.match(loop.text, /<\*\* 554 5\.4\.6 /);
      const report = await swaks("--to", "talk-bounces@localhost");
      assert.match(report.text, /<\*\* 550 5\.1\.1 /);
      assert.equal((await swaks("--to", "talk@localhost")).code, 0);
    } finally {
      await s.close();
    }
  },
});
