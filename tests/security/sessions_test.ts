/** Who is in stays in only as long as they may. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { adminPassword, Browser, Line, password, startWorld, type World } from "./world.ts";
import { callControl } from "../../src/serve/control/control.ts";

const ann = "ann@mox.example";

/** All the ways in that somebody has open, idle and busy. */
async function everywhere(w: World, pass: string): Promise<Line[]> {
  const idle = await w.imap(ann, pass);
  await idle.imap("SELECT Inbox");
  idle.write("x IDLE\r\n");
  await idle.until(/^\+ /m);
  const quiet = await w.imap(ann, pass);
  const notify = await w.imap(ann, pass);
  await notify.imap("NOTIFY SET (PERSONAL (MessageNew MessageExpunge))");
  const smtp = await w.submission(ann, pass);
  // In the middle of a message, of which more comes all the time.
  const sending = await w.submission(ann, pass);
  await sending.smtp("MAIL FROM:<ann@mox.example>");
  await sending.smtp("RCPT TO:<bob@mox.example>");
  await sending.smtp("DATA");
  const pop3 = await Line.dial(w.ports.pop3);
  await pop3.until(/^\+OK[^\r\n]*\r\n/m);
  pop3.write(`USER ${ann}\r\nPASS ${pass}\r\n`);
  await pop3.until(/messages\r\n/);
  return [idle, quiet, notify, smtp, sending, pop3];
}

/** All of them are over soon, and each was told as its protocol has it. */
async function allEnd(lines: Line[]): Promise<void> {
  const start = performance.now();
  const [idle, quiet, notify, smtp, , pop3] = await Promise.all(lines.map((l) => l.end()));
  // Told at once; half a second for what runs, and room for a machine that is busy.
  assert.ok(performance.now() - start < 8000, `${performance.now() - start} ms`);
  for (const text of [idle, quiet, notify]) assert.match(text, /^\* BYE \[EXPIRED\] /m);
  assert.match(smtp, /^421 4\.7\.0 /m);
  assert.match(pop3, /^-ERR \[AUTH\] /m);
}

async function signedIn(b: Browser, path: string): Promise<boolean> {
  const { json } = await b.call(path, {});
  return json.account === "ann" || json.loggedIn === true || json.account === ann;
}

Deno.test("a changed password ends all that the old one has opened, and nothing else", async () => {
  await using w = await startWorld();
  const changing = w.browser();
  const other = w.browser();
  for (const b of [changing, other]) {
    assert.equal((await b.call("/api/Login", { username: ann, password })).status, 200);
  }
  const app = await changing.call("/api/AppPasswordAdd", { name: "phone", current: password });
  const appPassword = String(app.json.password);
  const lines = await everywhere(w, password);
  await using staying = await w.imap(ann, appPassword);
  await using bob = await w.imap("bob@mox.example");
  const set = await changing.call("/api/PasswordSet", {
    current: password,
    password: "new password",
  });
  assert.equal(set.status, 200);
  await allEnd(lines);
  assert.match(await staying.imap("NOOP"), / OK /);
  assert.match(await bob.imap("NOOP"), / OK /);
  assert.equal(await signedIn(changing, "/api/Session"), true);
  assert.equal(await signedIn(other, "/api/Session"), false);
  await assert.rejects(() => w.imap(ann, password), /AUTHENTICATIONFAILED/);
  await using again = await w.imap(ann, "new password");
  assert.match(await again.imap("NOOP"), / OK /);
});

Deno.test("setaccountpassword over the control socket ends sessions too, of the pages as well", async () => {
  await using w = await startWorld();
  const b = w.browser();
  await b.call("/api/Login", { username: ann, password });
  const admin = w.browser();
  await admin.call("/admin/api/Login", { username: "", password: adminPassword });
  assert.equal(await signedIn(admin, "/admin/api/Session"), true);
  const lines = await everywhere(w, password);
  const dataDir = `${w.dir}/data`;
  await callControl(dataDir, "setaccountpassword", { account: "ann", password: "new password" });
  await allEnd(lines);
  assert.equal(await signedIn(b, "/api/Session"), false);
  await callControl(dataDir, "setadminpassword", { password: "another password" });
  assert.equal(await signedIn(admin, "/admin/api/Session"), false);
});

Deno.test("an app password that is taken back ends what it has opened, and only that", async () => {
  await using w = await startWorld();
  const b = w.browser();
  await b.call("/api/Login", { username: ann, password });
  const made = await b.call("/api/AppPasswordAdd", { name: "phone", current: password });
  const lines = await everywhere(w, String(made.json.password));
  await using staying = await w.imap(ann);
  const { json } = await b.call("/api/Security", {});
  const [{ id }] = json.appPasswords as { id: number }[];
  assert.equal((await b.call("/api/AppPasswordRemove", { id })).status, 200);
  await allEnd(lines);
  assert.match(await staying.imap("NOOP"), / OK /);
  assert.equal(await signedIn(b, "/api/Session"), true);
});

Deno.test("a second factor ends programs that are in with the password alone", async () => {
  await using w = await startWorld();
  const { totpCode, totpStep } = await import("../../src/store/logins/totp.ts");
  const b = w.browser();
  const other = w.browser();
  for (const one of [b, other]) await one.call("/api/Login", { username: ann, password });
  const lines = await everywhere(w, password);
  const { json } = await b.call("/api/SecondFactorBegin", {});
  const key = String(json.key);
  const code = totpCode(key, totpStep(Date.now()));
  const on = await b.call("/api/SecondFactorOn", { key, code, current: password });
  assert.equal(on.status, 200);
  await allEnd(lines);
  assert.equal(await signedIn(b, "/api/Session"), true);
  assert.equal(await signedIn(other, "/api/Session"), false);
});

for (
  const [what, change] of [
    ["a disabled account", ["\tann:\n", "\tann:\n\t\tLoginDisabled: gone fishing\n"]],
    ["a disabled domain", ["\tmox.example: nil\n", "\tmox.example:\n\t\tDisabled: true\n"]],
    ["an address that is no more", ["\t\t\tann@mox.example: nil\n", ""]],
  ] as const
) {
  Deno.test(`${what} ends all of its sessions, when domains.conf is written by hand`, async () => {
    await using w = await startWorld();
    const b = w.browser();
    const mail = w.browser();
    await b.call("/api/Login", { username: ann, password });
    await mail.call("/webmail/api/Login", { username: ann, password });
    const lines = await everywhere(w, password);
    await using bob = await w.imap("bob@mox.example").catch(() => undefined);
    const path = `${w.dir}/config/domains.conf`;
    const text = await readFile(path, "utf8");
    assert.ok(text.includes(change[0]));
    await Deno.writeTextFile(path, text.replace(change[0], change[1]));
    await allEnd(lines);
    assert.equal(await signedIn(b, "/api/Session"), false);
    assert.equal(await signedIn(mail, "/webmail/api/Session"), false);
    await assert.rejects(() => w.imap(ann, password), /AUTHENTICATIONFAILED/);
    if (what !== "a disabled domain") assert.match(await bob!.imap("NOOP"), / OK /);
    const api = await fetch(`http://127.0.0.1:${w.ports.web}/webapi/v0/SuppressionList`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Authorization: `Basic ${btoa(`${ann}:${password}`)}`,
      },
      body: "{}",
    });
    await api.body?.cancel();
    assert.ok(api.status === 401 || api.status === 403, String(api.status));
  });
}

Deno.test("a message that is under way when its session ends is not taken", async () => {
  await using w = await startWorld();
  const c = await w.submission(ann);
  await c.smtp("MAIL FROM:<ann@mox.example>");
  await c.smtp("RCPT TO:<bob@mox.example>");
  c.write("NOOP\r\nNOOP\r\n");
  await c.until(/250[^\r\n]*\r\n250[^\r\n]*\r\n/);
  await callControl(`${w.dir}/data`, "setaccountpassword", {
    account: "ann",
    password: "new password",
  });
  c.write("DATA\r\nFrom: <ann@mox.example>\r\n\r\nhi\r\n.\r\n");
  assert.doesNotMatch(await c.end(), /^250 2\.0\.0 queued/m);
  assert.equal(w.server.queue.list({}).length, 0);
});
