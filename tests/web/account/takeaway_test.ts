/** Contacts and calendars as an archive, taken from an account and brought back, over HTTP. */
import assert from "node:assert/strict";
import { lookProperties, textElement } from "../../../src/groupware/collection_looks.ts";
import { calendarObject, cardObject } from "../../../src/groupware/objects.ts";
import { Log } from "../../../src/log/mod.ts";
import type { Groupware } from "../../../src/store/groupware/groupware.ts";
import { takeawayRoutes } from "../../../src/web/account/takeaway.ts";
import { writeZip } from "../../../src/web/export/zip.ts";
import { ownHost, routeServices, serveHttp, textResponse } from "../../../src/web/http/mod.ts";
import type { Login } from "../../../src/web/login/mod.ts";
import { withWebmail } from "../webmail/server.ts";
import { unzipSync } from "../webmail/unzip.ts";

interface World {
  g: Groupware;
  take(): Promise<Record<string, string>>;
  bring(zip: Uint8Array): Promise<{ status: number; json: Json }>;
}
interface Json {
  files: { kind: string; name: string; imported: number }[];
  left: string[];
  leftOut: number;
  error?: { message: string };
}

function withRoutes(fn: (w: World) => Promise<void>): Promise<void> {
  return withWebmail(async (web) => {
    const tempDir = await Deno.makeTempDir();
    const routes = takeawayRoutes({
      accounts: web.accounts,
      // Who is asking isn't what is tried here.
      login: {
        require: () => ({ account: "mox" }),
        renew: (_req: unknown, _session: unknown, res: Response) => res,
      } as unknown as Login,
      tempDir,
    });
    const server = await serveHttp(
      { hostname: "127.0.0.1", port: 0, log: new Log("http") },
      routeServices([{
        name: "account",
        path: "/",
        host: ownHost("localhost"),
        handle: (req) => routes(req) ?? textResponse(404, "nothing"),
      }]),
    );
    const at = `http://127.0.0.1:${server.port}`;
    try {
      await fn({
        g: await web.account.groupware(),
        async take() {
          const r = await fetch(`${at}/export/collections`);
          assert.equal(r.status, 200);
          assert.match(r.headers.get("content-disposition")!, /mox-collections\.zip/);
          const files = unzipSync(new Uint8Array(await r.arrayBuffer()));
          return Object.fromEntries(
            Object.entries(files).map(([name, b]) => [name, new TextDecoder().decode(b)]),
          );
        },
        async bring(zip) {
          const r = await fetch(`${at}/import/collections`, {
            method: "POST",
            body: new Uint8Array(zip),
            headers: { "x-mox-request": "1" },
          });
          const json: Json = await r.json();
          // Nothing stays of what was sent.
          assert.deepEqual([...Deno.readDirSync(tempDir)], []);
          return { status: r.status, json };
        },
      });
    } finally {
      await server.shutdown(1000);
      await Deno.remove(tempDir, { recursive: true });
    }
  });
}

const bytes = (s: string) => new TextEncoder().encode(s);
const event = (uid: string, title: string) =>
  bytes(
    ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", "BEGIN:VEVENT", `UID:${uid}`]
      .concat("DTSTAMP:20270101T000000Z", "DTSTART:20270105T100000Z", `SUMMARY:${title}`)
      .concat("END:VEVENT", "END:VCALENDAR", "").join("\r\n"),
  );
const card = (uid: string, name: string) =>
  bytes(
    ["BEGIN:VCARD", "VERSION:3.0", `UID:${uid}`, `FN:${name}`, "N:;;;;", "END:VCARD", ""].join(
      "\r\n",
    ),
  );

async function zipped(files: Record<string, string>): Promise<Uint8Array> {
  const entries = Object.entries(files).map(([name, text]) => ({ name, pieces: [bytes(text)] }));
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const p of writeZip(entries)) parts.push(new Uint8Array(p));
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** Kind, shown name and number of objects of all that are not empty. */
function there(g: Groupware): string[] {
  return g.collections().filter((c) => g.count(c.id) > 0).map((c) => {
    const name = g.properties(c.id).get(lookProperties.name)?.replace(/<[^>]*>/g, "") ?? c.name;
    return `${c.kind} ${name} ${g.count(c.id)}`;
  }).sort();
}

Deno.test("all is taken, and brought back where nothing is", () =>
  withRoutes(async (w) => {
    const { g } = w;
    const named = (kind: "calendar" | "addressbook", key: string, name: string) =>
      g.createCollection(kind, key, {
        components: kind === "calendar" ? ["VEVENT"] : [],
        properties: new Map([[lookProperties.name, textElement(lookProperties.name, name)]]),
      });
    const work = await named("calendar", "w", "Work / Büro");
    const twin = await named("calendar", "w2", "work / büro");
    const book = await named("addressbook", "b", "..");
    await g.putAll(work.id, [1, 2, 3].map((n) => calendarObject(`${n}.ics`, event(`w${n}`, "W"))));
    await g.putAll(twin.id, [calendarObject("t.ics", event("t", "Twin"))]);
    await g.putAll(book.id, [
      cardObject("a.vcf", card("a", "Änn")),
      cardObject("b.vcf", card("b", "B")),
    ]);
    const files = await w.take();
    assert.equal(files["calendars/Work _ Büro.ics"].match(/BEGIN:VEVENT/g)?.length, 3);
    assert.match(files["calendars/work _ büro (2).ics"], /SUMMARY:Twin/);
    assert.match(files["contacts/_.vcf"], /FN:Änn/);
    for (const c of [work, twin, book]) await g.removeCollection(c.id);
    assert.deepEqual(there(g), []);
    const archive = await zipped(files);
    for (let n = 0; n < 2; n++) {
      // Brought twice, all is there once.
      const { status, json } = await w.bring(archive);
      assert.equal(status, 200);
      assert.equal(json.leftOut, 0);
      assert.equal(json.files.reduce((sum, f) => sum + f.imported, 0), 6);
      assert.deepEqual(there(g), [
        "addressbook _ 2",
        "calendar Work _ Büro 3",
        "calendar work _ büro (2) 1",
      ]);
    }
    assert.deepEqual(Object.keys(await w.take()).sort(), Object.keys(files).sort());
  }));

Deno.test("it goes into what has the name; what can't be read is named, and makes nothing", () =>
  withRoutes(async (w) => {
    const c = await w.g.createCollection("calendar", "home", { components: ["VEVENT"] });
    await w.g.putAll(c.id, [
      calendarObject("x.ics", event("x", "Old")),
      calendarObject("y.ics", event("y", "Y")),
    ]);
    const text = new TextDecoder().decode(event("x", "New"));
    const before = w.g.collections().length;
    const { status, json } = await w.bring(
      await zipped({
        "a/b/home.ICS": text,
        "__MACOSX/._home.ics": "nonsense",
        "readme.txt": "nothing",
        "broken.ics": "BEGIN:VCALENDAR\r\nthis is none",
      }),
    );
    assert.equal(status, 200);
    assert.deepEqual(json.files, [{ kind: "calendar", name: "home", imported: 1 }]);
    assert.equal(json.leftOut, 1);
    assert.match(json.left[0], /^broken\.ics: /);
    assert.equal(w.g.collections().length, before);
    assert.equal(w.g.count(c.id), 2);
    assert.match(new TextDecoder().decode(w.g.content(w.g.object(c.id, "x.ics")!.id)), /New/);
  }));

Deno.test("what is no archive is refused in words", () =>
  withRoutes(async (w) => {
    for (const bad of ["", "BEGIN:VCALENDAR", "PK\x03\x04cut off"]) {
      const { status, json } = await w.bring(bytes(bad));
      assert.equal(status, 400, bad);
      assert.match(json.error!.message, /zip archive is damaged/);
    }
  }));
