/** Which capabilities are announced in which state, and that each has the test file of its RFC. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { ImapFlow } from "imapflow";
import { selfSignedCertificate } from "../../src/net/mod.ts";
import { login, password, startServer } from "./server.ts";

/** RFCs whose test file covers a capability. */
const files: Record<string, string> = {
  "IMAP4rev2": "rfc9051",
  "IMAP4rev1": "rfc3501",
  "STARTTLS": "rfc9051",
  "LOGINDISABLED": "rfc9051",
  "LITERAL+": "rfc7888",
  "UTF8=ACCEPT": "rfc6855",
  "UIDONLY": "rfc9586",
  "INPROGRESS": "rfc9585",
  "ID": "rfc2971",
  "SASL-IR": "rfc4959",
  "ENABLE": "rfc5161",
  "CONDSTORE": "rfc7162",
  "QRESYNC": "rfc7162",
  "SPECIAL-USE": "rfc6154",
  "CREATE-SPECIAL-USE": "rfc6154",
  "LIST-EXTENDED": "rfc5258",
  "LIST-STATUS": "rfc5819",
  "LIST-METADATA": "rfc9590",
  "LIST-MYRIGHTS": "rfc8440",
  "UNAUTHENTICATE": "rfc8437",
  "UIDBATCHES": "uidbatches",
  "THREAD=REFS": "rfc5256",
  "I18NLEVEL=1": "rfc5255",
  "URL-PARTIAL": "rfc5550",
  "CHILDREN": "rfc3348",
  "NAMESPACE": "rfc2342",
  "STATUS=SIZE": "rfc8438",
  "MULTIAPPEND": "rfc3502",
  APPENDLIMIT: "rfc7889",
  "CATENATE": "rfc4469",
  "IDLE": "rfc2177",
  "ACL": "rfc4314",
  "RIGHTS=TEXK": "rfc4314",
  "URLAUTH": "rfc4467",
  "URLAUTH=BINARY": "rfc5524",
  "QUOTA": "rfc9208",
  "QUOTA=RES-MAILBOX": "rfc9208",
  "QUOTA=RES-MESSAGE": "rfc9208",
  "QUOTA=RES-STORAGE": "rfc9208",
  "METADATA": "rfc5464",
  "NOTIFY": "rfc5465",
  "MULTISEARCH": "rfc7377",
  "UNSELECT": "rfc3691",
  "ESEARCH": "rfc4731",
  "SEARCHRES": "rfc5182",
  "WITHIN": "rfc5032",
  "PARTIAL": "rfc9394",
  "CONTEXT=SEARCH": "rfc5267",
  "CONTEXT=SORT": "rfc5267",
  "ESORT": "rfc5267",
  "SEARCH=FUZZY": "rfc6203",
  "SORT": "rfc5256",
  "THREAD=ORDEREDSUBJECT": "rfc5256",
  "THREAD=REFERENCES": "rfc5256",
  "SORT=DISPLAY": "rfc5957",
  "BINARY": "rfc3516",
  "SAVEDATE": "rfc8514",
  "OBJECTID": "rfc8474",
  "PREVIEW": "rfc8970",
  "UIDPLUS": "rfc4315",
  "MOVE": "rfc6851",
  "REPLACE": "rfc8508",
  "COMPRESS=DEFLATE": "rfc4978",
};
const fileOf = (c: string) =>
  c.startsWith("AUTH=") ? "sasl" : files[c.replace(/=\d+$/, "")] ?? files[c.toUpperCase()];

const words = (line: string) => /CAPABILITY ([^\]]*)/.exec(line)![1].trim().split(" ");
const without = (list: string[], ...gone: RegExp[]) =>
  list.filter((w) => !gone.some((g) => g.test(w)));

Deno.test("each capability that is announced, in any state, has the test file of its RFC", async () => {
  const keyCert = await selfSignedCertificate({ names: ["localhost"] });
  const s = await startServer({ keyCert, plaintextLogin: false });
  const flow = new ImapFlow({
    host: "127.0.0.1",
    port: s.port,
    secure: false,
    auth: { user: login, pass: password },
    tls: { rejectUnauthorized: false },
    logger: false,
  });
  try {
    const c = await s.client({ loggedIn: false });
    const plain = words((await c.ok("CAPABILITY"))[0]);
    await flow.connect();
    const loggedIn = [...flow.capabilities.keys()];
    const here = dirname(fileURLToPath(import.meta.url));
    for (const capability of [...plain, ...loggedIn]) {
      const file = fileOf(capability);
      assert.ok(file, `${capability} has no test file named here`);
      assert.ok(Deno.statSync(`${here}/${file}_test.ts`).isFile, file);
    }
    await flow.logout();
  } finally {
    flow.close();
    await s.stop();
  }
});

Deno.test("what is announced before TLS, before login and after it", async () => {
  const keyCert = await selfSignedCertificate({ names: ["localhost"] });
  const secure = await startServer({ keyCert, plaintextLogin: false });
  const open = await startServer();
  try {
    const before = words((await (await secure.client({ loggedIn: false })).ok("CAPABILITY"))[0]);
    assert.deepEqual(before.slice(0, 2), ["IMAP4rev2", "IMAP4rev1"]);
    assert.ok(before.includes("STARTTLS") && before.includes("LOGINDISABLED"), before.join(" "));
    assert.deepEqual(before.filter((w) => w.startsWith("AUTH=")), [
      "AUTH=SCRAM-SHA-256",
      "AUTH=SCRAM-SHA-1",
      "AUTH=CRAM-MD5",
    ]);
    const c = await open.client({ loggedIn: false });
    const anyone = words((await c.ok("CAPABILITY"))[0]);
    assert.ok(anyone.includes("AUTH=PLAIN") && anyone.includes("AUTH=LOGIN"));
    assert.ok(!anyone.some((w) => /^(STARTTLS|LOGINDISABLED|COMPRESS=)/.test(w)), anyone.join(" "));
    const after = words(await c.done(`LOGIN ${login} "${password}"`));
    assert.deepEqual(
      without(after, /^COMPRESS=DEFLATE$/).sort(),
      without(anyone, /^AUTH=/).sort(),
    );
    assert.ok(after.includes("COMPRESS=DEFLATE"));
    assert.deepEqual(words((await c.ok("CAPABILITY"))[0]), after);
    assert.equal(new Set(after).size, after.length);
  } finally {
    await secure.stop();
    await open.stop();
  }
});
