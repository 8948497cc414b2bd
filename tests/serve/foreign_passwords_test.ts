/** Passwords that another server hashed: they let in, and are our own afterwards. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { Config } from "../../src/config/mod.ts";
import { setLevel } from "../../src/log/mod.ts";
import { MailServer } from "../../src/serve/server.ts";
import { annDomains, freePorts } from "./instance.ts";

for (const pkg of ["serve", "imapserver", "store", "web", "account", "admin", "http"]) {
  setLevel(pkg, "error");
}

const sha512 =
  "{SHA512-CRYPT}$6$HXgk247e1USPZY.8$MRDyl9e5sOwAG74i1y6wP45Sh/9b3hRs2CCBxOihxUjBfL3z/VvAiO/CygRFPD900fVhwFiJMekuslx3aXn43/";
const password = "Geheim 1 äö";
/** As the original's localserve has it. */
const adminHash = "$2a$10$vqIwP7uEWOVMvPyBpO9RguWq7qj5moNsCrNwZBwISprf5/7qq8tju";
const adminPassword = "moxadmin";

async function withServer(
  fn: (w: { server: MailServer; dir: string; imap: number; web: number }) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const [imap, web] = await freePorts(2);
  await Deno.mkdir(`${dir}/config`);
  await Deno.writeTextFile(`${dir}/config/adminpasswd`, `${adminHash}\n`);
  await Deno.writeTextFile(
    `${dir}/config/mox.conf`,
    `DataDir: ../data
LogLevel: error
Hostname: mail.mox.example
AdminPasswordFile: adminpasswd
Listeners:
	internal:
		IPs:
			- 127.0.0.1
		IMAP:
			Enabled: true
			Port: ${imap}
			NoRequireSTARTTLS: true
		AdminHTTP:
			Enabled: true
			Port: ${web}
Postmaster:
	Account: ann
	Mailbox: Postmaster
`,
  );
  await Deno.writeTextFile(
    `${dir}/config/domains.conf`,
    `${annDomains}		IMAPCapabilitiesDisabled:
			- notify
			- COMPRESS=DEFLATE
`,
  );
  const server = await MailServer.start({
    config: await Config.load(`${dir}/config/mox.conf`),
    local: false,
    async prepare(accounts) {
      const account = await accounts.open("ann");
      await account.credentials.setPasswordHash(sha512);
      account.close();
    },
  });
  try {
    await fn({ server, dir, imap, web });
  } finally {
    await server.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

/** The answers to commands, one after the other. */
async function imapTalk(port: number, commands: string[]): Promise<string[]> {
  const socket = connect({ host: "127.0.0.1", port });
  let text = "";
  socket.on("data", (b: Uint8Array) => text += Buffer.from(b).toString());
  const until = async (pattern: RegExp) => {
    while (!pattern.test(text)) await new Promise((r) => setTimeout(r, 5));
    const out = text;
    text = "";
    return out;
  };
  await until(/^\* OK .*\r\n/m);
  const answers: string[] = [];
  for (const [i, command] of commands.entries()) {
    socket.write(`a${i} ${command}\r\n`);
    answers.push(await until(new RegExp(`^a${i} .*\r\n`, "m")));
  }
  socket.destroy();
  return answers;
}

const plain = (pass: string) =>
  `AUTHENTICATE PLAIN ${Buffer.from(`\0ann@mox.example\0${pass}`).toString("base64")}`;

Deno.test("a hash of another server lets in and is replaced, for SCRAM too", () =>
  withServer(async ({ server, dir, imap }) => {
    // Before anybody has tried: no wrong password shows whose hash is of another server.
    const times = JSON.parse(await Deno.readTextFile(`${dir}/data/passwordtimes.json`));
    assert.ok(times["shaCrypt 5000"] > 0, JSON.stringify(times));
    const [wrong] = await imapTalk(imap, [plain("not it")]);
    assert.match(wrong, /^a0 NO /m);
    const account = await server.accounts.open("ann");
    try {
      const stored = () =>
        account.db.get("SELECT value FROM credentials WHERE kind = 'password'")![0] as string;
      assert.equal(stored(), sha512);
      assert.equal(account.credentials.scram("SCRAM-SHA-256"), undefined);
      const [right] = await imapTalk(imap, [plain(password)]);
      assert.match(right, /^a0 OK /m);
      assert.match(stored(), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      assert(account.credentials.scram("SCRAM-SHA-256"));
      assert(account.credentials.cramMd5());
      assert.match((await imapTalk(imap, [plain(password)]))[0], /^a0 OK /m);
      await assert.rejects(account.credentials.setPasswordHash("$1$old$x"), /can't be verified/);
    } finally {
      account.close();
    }
  }));

Deno.test("capabilities that the account has disabled are not announced to it", () =>
  withServer(async ({ imap }) => {
    const [before, login, after] = await imapTalk(imap, [
      "CAPABILITY",
      plain(password),
      "CAPABILITY",
    ]);
    assert.match(before, / NOTIFY\b/);
    for (const text of [login, after]) {
      assert.match(text, / QRESYNC\b/);
      assert.doesNotMatch(text, /NOTIFY|COMPRESS/);
    }
  }));

Deno.test("the original's bcrypt of the administrator's password works, and is replaced", () =>
  withServer(async ({ dir, web }) => {
    const login = async (pass: string) => {
      const r = await fetch(`http://127.0.0.1:${web}/admin/api/Login`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "x-mox-request": "1" },
        body: JSON.stringify({ username: "", password: pass }),
      });
      await r.body?.cancel();
      return r.status;
    };
    const file = `${dir}/config/adminpasswd`;
    assert.notEqual(await login("moxadmi"), 200);
    assert.equal((await Deno.readTextFile(file)).trim(), adminHash);
    assert.equal(await login(adminPassword), 200);
    assert.match(await Deno.readTextFile(file), /^\$argon2id\$/);
    assert.equal(await login(adminPassword), 200);
  }));
