/** What frames and links load of a message, and that nothing of it runs in the webmail's name. */
import assert from "node:assert/strict";
import { simpleParser } from "mailparser";
import { unzipSync } from "./unzip.ts";
import { winmail } from "../../mail/winmail.ts";
import { composition, message, withWebmail } from "./server.ts";

const mixed = [
  "From: Ann <ann@example.org>",
  "To: mox@localhost",
  "Subject: a/b <i>report</i>",
  "MIME-Version: 1.0",
  'Content-Type: multipart/mixed; boundary="m"',
  "",
  "--m",
  "Content-Type: text/plain; charset=utf-8",
  "",
  "see https://example.org/a?b=1&c=2. <script>alert(1)</script>",
  "--m",
  'Content-Type: multipart/related; boundary="r"',
  "",
  "--r",
  "Content-Type: text/html; charset=utf-8",
  "",
  '<body onload="x()"><p>look <img src="cid:pic@x"><img src="https://t.example/x.gif">' +
  "<script>alert(1)</script>",
  "--r",
  "Content-Type: image/png",
  "Content-ID: <pic@x>",
  "Content-Transfer-Encoding: base64",
  "",
  btoa("PNG"),
  "--r--",
  "--m",
  "Content-Type: text/html; name=evil.html",
  "Content-Disposition: attachment; filename=evil.html",
  "",
  "<script>alert(document.cookie)</script>",
  "--m",
  "Content-Type: image/svg+xml",
  "Content-Disposition: attachment; filename=evil.svg",
  "",
  '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
  "--m",
  "Content-Type: application/pdf",
  "Content-Disposition: attachment; filename=\"Bericht für 'Ann'.pdf\"",
  "Content-Transfer-Encoding: base64",
  "",
  btoa("%PDF-1.4"),
  "--m--",
].join("\n");

Deno.test("a message's bytes, header and parts come as they are", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(mixed, { prefix: "Received: from x\r\n" });
    const b = await w.login();
    const raw = await b.text(`message/${id}/raw`);
    assert.equal(raw, "Received: from x\r\n" + mixed.replaceAll("\n", "\r\n"));
    const saved = await b.get(`message/${id}/raw?download`);
    assert.equal(saved.headers.get("content-type"), "message/rfc822");
    assert.match(
      saved.headers.get("content-disposition")!,
      /^attachment; filename="a b i report i.eml"/,
    );
    await saved.body?.cancel();
    assert.match(
      await b.text(`message/${id}/headers`),
      /^Received: from x\r\nFrom: Ann.*\r\n\r\n$/s,
    );
    const png = await b.get(`message/${id}/part/2.2`);
    assert.equal(png.headers.get("content-type"), "image/png");
    assert.equal(await png.text(), "PNG");
    for (const path of ["part/9", "part/2.2/3", "part/", "part/../raw", "nothing", "raw/x", ""]) {
      const r = await b.get(`message/${id}/${path}`);
      assert.ok(r.status === 404 || path === "part/../raw", `${path} ${r.status}`);
      await r.body?.cancel();
    }
    for (const bad of ["message/0/raw", "message/1e9/raw", "message/-1/raw", "message/99999/raw"]) {
      const r = await b.get(bad);
      assert.equal(r.status, 404, bad);
      await r.body?.cancel();
    }
  });
});

Deno.test("parts that a browser would run come as text or as a download, in a sandbox", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(mixed);
    const b = await w.login();
    const types: Record<string, [string, string]> = {
      "2.1": ["text/plain; charset=utf-8", "inline"],
      "3": ["text/plain; charset=utf-8", "inline"],
      "4": ["application/octet-stream", "attachment"],
      "5": ["application/pdf", "inline"],
    };
    for (const [path, [type, kind]] of Object.entries(types)) {
      const r = await b.get(`message/${id}/part/${path}`);
      assert.equal(r.headers.get("content-type"), type, path);
      assert.ok(r.headers.get("content-disposition")!.startsWith(kind), path);
      assert.equal(r.headers.get("x-content-type-options"), "nosniff");
      assert.equal(r.headers.get("cache-control"), "no-store");
      const policy = r.headers.get("content-security-policy")!;
      assert.match(policy, /default-src 'none'/);
      if (path !== "5") assert.match(policy, /sandbox/);
      assert.doesNotMatch(policy, /script/);
      await r.body?.cancel();
    }
    const pdf = await b.get(`message/${id}/part/5?download`);
    assert.equal(
      pdf.headers.get("content-disposition"),
      `attachment; filename="Bericht f_r 'Ann'.pdf"; filename*=UTF-8''Bericht%20f%C3%BCr%20%27Ann%27.pdf`,
    );
    assert.equal(await pdf.text(), "%PDF-1.4");
  });
});

Deno.test("HTML is sanitised, in a sandbox, and loads what is elsewhere only on request", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(mixed);
    const b = await w.login();
    const r = await b.get(`message/${id}/html?external=0`);
    const policy = r.headers.get("content-security-policy")!;
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /img-src data:;/);
    assert.match(policy, /sandbox allow-popups allow-popups-to-escape-sandbox/);
    assert.doesNotMatch(policy, /allow-scripts|allow-same-origin|script-src/);
    const html = await r.text();
    assert.match(html, /look <img src="data:image\/png;base64,UE5H" \/>/);
    assert.doesNotMatch(html, /t\.example|script|onload/);
    const external = await b.get(`message/${id}/html?external=1`);
    assert.match(external.headers.get("content-security-policy")!, /img-src data: http: https:;/);
    assert.match(await external.text(), /<img src="https:\/\/t\.example\/x\.gif" \/>/);
    const text = await b.get(`message/${id}/text`);
    assert.match(text.headers.get("content-security-policy")!, /sandbox/);
    assert.match(
      await text.text(),
      /see <a href="https:\/\/example\.org\/a\?b=1&amp;c=2" [^>]*>https:\/\/example\.org\/a\?b=1&amp;c=2<\/a>\. &lt;script&gt;/,
    );
    const plain = await w.deliver(message({}));
    const none = await b.get(`message/${plain}/html`);
    assert.equal(none.status, 404);
    await none.body?.cancel();
  });
});

Deno.test("printing shows the header, and its one script is ours", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(mixed);
    const b = await w.login();
    const r = await b.get(`message/${id}/print?html=1&external=0`);
    const nonce = /script-src 'nonce-([\w-]+)'/.exec(r.headers.get("content-security-policy")!)![1];
    const html = await r.text();
    assert.deepEqual(html.match(/<script[^>]*>/g), [`<script nonce="${nonce}">`]);
    assert.match(html, /<h1>a\/b &lt;i&gt;report&lt;\/i&gt;<\/h1>/);
    assert.match(html, /Ann &lt;ann@example\.org&gt;/);
    assert.doesNotMatch(r.headers.get("content-security-policy")!, /allow-same-origin/);
  });
});

Deno.test("all attachments come in one archive, and mailboxes as mbox and Maildir", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(mixed, { received: 1_700_000_000_000, keywords: ["work"] });
    await w.deliver(message({ body: "From me\n" }), { mailbox: "Lists/a", keywords: ["work"] });
    const b = await w.login();
    const zip = await b.get(`message/${id}/attachments.zip`);
    const files = unzipSync(new Uint8Array(await zip.arrayBuffer()));
    assert.deepEqual(Object.keys(files), [
      "part-2.2.png",
      "evil.html",
      "evil.svg",
      "Bericht für 'Ann'.pdf",
    ]);
    assert.equal(new TextDecoder().decode(files["Bericht für 'Ann'.pdf"]), "%PDF-1.4");
    const all = await b.get("export?mailbox=&format=mbox");
    const boxes = unzipSync(new Uint8Array(await all.arrayBuffer()));
    const inbox = new TextDecoder().decode(boxes["Inbox.mbox"]);
    assert.match(
      inbox,
      /^From MAILER-DAEMON Tue Nov 14 22:13:20 2023\nX-IMAPbase: .*\nStatus: O\nX-Keywords: work\nFrom: Ann/,
    );
    assert.match(new TextDecoder().decode(boxes["Lists/a.mbox"]), /\n>From me\n/);
    const lists = w.account.mailboxByName("Lists")!;
    const some = await b.get(`export?mailbox=${lists.id}&format=maildir`);
    const maildir = unzipSync(new Uint8Array(await some.arrayBuffer()));
    const names = Object.keys(maildir).filter((n) => !n.endsWith("/"));
    assert.equal(names.length, 3);
    assert.equal(names[2], "mox-export.json");
    assert.match(names[0], /^Lists\/a\/cur\/\d+\.\d+\.mox:2,a$/);
    assert.match(new TextDecoder().decode(maildir[names[1]]), /^0 \S+\n$/);
    const gone = await b.get("export?mailbox=4711&format=mbox");
    assert.equal(gone.status, 422);
    await gone.body?.cancel();
  });
});

Deno.test("parts of any size and encoding are decoded without a byte lost", async () => {
  await withWebmail(async (w) => {
    const bytes = new Uint8Array(300_000);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 7919 + (i >> 8)) & 255;
    const base64 = btoa(Array.from(bytes, (c) => String.fromCharCode(c)).join(""));
    const lines = (n: number) => base64.match(new RegExp(`.{1,${n}}`, "g"))!.join("\n");
    const qp = Array.from(bytes, (c) => `=${c.toString(16).toUpperCase().padStart(2, "0")}`)
      .join("").match(/.{1,72}/g)!.join("=\n");
    const b = await w.login();
    for (
      const [encoding, text] of [
        ["base64", lines(76)],
        ["base64", lines(61)],
        ["base64", base64],
        ["quoted-printable", qp],
        ["quoted-printable", qp.replaceAll("=\n", "")],
      ]
    ) {
      const id = await w.deliver(message({
        more: `Content-Type: image/png\nContent-Transfer-Encoding: ${encoding}`,
        body: text,
      }));
      const r = await b.get(`message/${id}/part/1`);
      assert.deepEqual(new Uint8Array(await r.arrayBuffer()), bytes, encoding);
    }
  });
});

Deno.test("files in winmail.dat and uuencoded ones are attachments, and not in the text", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver([
      "From: Ann <ann@example.org>",
      "Subject: packed",
      "MIME-Version: 1.0",
      "Content-Type: multipart/mixed; boundary=m",
      "",
      "--m",
      "Content-Type: text/plain",
      "",
      "see below",
      "begin 644 hello.txt",
      "%:&5L;&\\",
      "`",
      "end",
      "--m",
      "Content-Type: application/ms-tnef; name=winmail.dat",
      "Content-Transfer-Encoding: base64",
      "",
      winmail.toBase64(),
      "--m--",
    ].join("\n"));
    const b = await w.login();
    const m = await b.call("MessageGet", { id });
    assert.deepEqual(m.attachments.map((a) => [a.path, a.filename]), [
      ["2", "winmail.dat"],
      ["1+1", "hello.txt"],
      ["2+1", "Lange N\u00e4me.txt"],
      ["2+2", "b.bin"],
    ]);
    assert.equal(m.texts[0].text.trimEnd(), "see below");
    assert.equal(await b.text(`message/${id}/part/1+1`), "hello");
    assert.equal(await b.text(`message/${id}/part/2+1`), "first content");
    const zip = await b.get(`message/${id}/attachments.zip`);
    const files = unzipSync(new Uint8Array(await zip.arrayBuffer()));
    assert.deepEqual(Object.keys(files), [
      "winmail.dat",
      "hello.txt",
      "Lange N\u00e4me.txt",
      "b.bin",
    ]);
    assert.equal(new TextDecoder().decode(files["hello.txt"]), "hello");
    // They can be sent on, each as a file of its own.
    const attachments = ["1+1", "2+1"].map((path) => ({
      kind: "part" as const,
      messageId: id,
      path,
      filename: path === "1+1" ? "renamed.txt" : "",
      cid: "",
    }));
    await b.call("Send", {
      ...{ draftId: null, sendAt: null, requireTls: null, archiveThread: false },
      composition: composition({ subject: "Fwd: packed", attachments, forwards: [id] }),
    });
    const sent = await simpleParser(w.sent[0].text);
    assert.deepEqual(sent.attachments.map((a) => [a.filename, a.content.toString()]), [
      ["renamed.txt", "hello"],
      ["Lange N\u00e4me.txt", "first content"],
    ]);
    for (const path of ["1+2", "2+9", "9+1", "2+0"]) {
      const r = await b.get(`message/${id}/part/${encodeURIComponent(path)}`);
      assert.equal(r.status, 404, path);
      await r.body?.cancel();
    }
  });
});
