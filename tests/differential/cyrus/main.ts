/**
 * `deno task differential-cyrus FOLDER [dav|jmap]`: this server beside Cyrus, whose packages were unpacked into FOLDER
 * (docs/testing.md). Prints what they disagree about and how it was judged; fails where nobody judged.
 *
 * @module
 */
import { startLocalserve } from "../../support/localserve.ts";
import { compareDav, type Disagreement } from "./dav.ts";
import { compareJmap, JmapServer } from "./jmap.ts";
import { judged } from "./judged.ts";
import { type Cyrus, startCyrus } from "./server.ts";

const [root, only] = Deno.args;
if (root === undefined) {
  console.error("usage: deno task differential-cyrus FOLDER [dav|jmap]");
  Deno.exit(2);
}
const basic = (name: string, password: string) => `Basic ${btoa(`${name}:${password}`)}`;
let open = 0;

function report(what: string, asked: number, different: readonly Disagreement[]): void {
  console.log(`${what}: ${asked} requests, ${different.length} answered otherwise`);
  const kinds = new Map<string, number>();
  for (const d of different) {
    const why = judged(d);
    if (why !== undefined) {
      kinds.set(why, (kinds.get(why) ?? 0) + 1);
      continue;
    }
    open++;
    console.log(`\n${d.name}\n  ours:   ${d.ours.replaceAll("\n", "\n    ")}`);
    console.log(`  theirs: ${d.theirs.replaceAll("\n", "\n    ")}`);
  }
  for (const [why, n] of kinds) console.log(`| ${n} | ${why} |`);
}

/** Both, fresh: Cyrus's search can't index an account whose calendars were full once. */
async function beside(
  compare: (origin: string, cyrus: Cyrus) => Promise<void>,
): Promise<void> {
  const cyrus = await startCyrus(root);
  try {
    const server = await startLocalserve();
    try {
      await compare(`http://127.0.0.1:${server.http}`, cyrus);
    } finally {
      await server.close();
    }
  } finally {
    await cyrus.stop();
  }
}

if (only !== "jmap") {
  await beside(async (origin, cyrus) => {
    const auth = basic("mox@localhost", "moxmoxmox");
    const make = async (url: string, method: string, authorization: string, body = "") => {
      const headers = { authorization, "content-type": "application/xml" };
      const r = await fetch(url, { method, headers, body: body || undefined });
      if (r.status !== 201) throw new Error(`${method} ${url}: ${r.status} ${await r.text()}`);
      await r.body?.cancel();
    };
    const book =
      '<D:mkcol xmlns:D="DAV:" xmlns:A="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>' +
      "<D:resourcetype><D:collection/><A:addressbook/></D:resourcetype></D:prop></D:set></D:mkcol>";
    const ours = {
      calendars: `${origin}/dav/calendars/mox/compared/`,
      addressbooks: `${origin}/dav/addressbooks/mox/compared/`,
      authorization: auth,
    };
    const theirs = {
      calendars: `${cyrus.origin}/dav/calendars/user/${cyrus.user}/compared/`,
      addressbooks: `${cyrus.origin}/dav/addressbooks/user/${cyrus.user}/compared/`,
      authorization: basic(cyrus.user, cyrus.password),
    };
    for (const s of [ours, theirs]) {
      await make(s.calendars, "MKCALENDAR", s.authorization);
      await make(s.addressbooks, "MKCOL", s.authorization, book);
    }
    const { asked, different } = await compareDav(ours, theirs);
    report("CalDAV and CardDAV", asked, different);
  });
}
if (only !== "dav") {
  await beside(async (origin, cyrus) => {
    const { asked, different } = await compareJmap(
      new JmapServer(`${origin}/.well-known/jmap`, basic("mox@localhost", "moxmoxmox")),
      new JmapServer(`${cyrus.origin}/jmap/`, basic(cyrus.user, cyrus.password)),
      cyrus.index,
    );
    report("JMAP", asked, different);
  });
}
Deno.exit(open === 0 ? 0 : 1);
