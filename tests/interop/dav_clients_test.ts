/** Programs that others wrote, with contacts and calendars: vdirsyncer and khal (Debian), tsdav (npm). */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DAVClient } from "tsdav";
import { card, event, ns, password, withDav } from "../dav/world.ts";
import { findProgram, lacks } from "../support/programs.ts";

async function run(
  program: string,
  args: string[],
  env: Record<string, string>,
  input = "",
): Promise<string> {
  const child = new Deno.Command(findProgram(program)!, {
    args,
    env: { LC_ALL: "C.UTF-8", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const [out, err] = [stdout, stderr].map((b) => new TextDecoder().decode(b));
  assert.equal(code, 0, `${program} ${args.join(" ")}: ${out}${err}`);
  return out + err;
}

Deno.test({
  name: "vdirsyncer and khal: contacts and events both ways, changes, removals",
  ignore: lacks("vdirsyncer", "khal"),
  fn: () =>
    withDav(async ({ ann, origin }) => {
      const dir = await Deno.makeTempDir();
      try {
        const storage = (name: string, type: string, more: string) =>
          `[storage ${name}]\ntype = "${type}"\n${more}\n`;
        const remote =
          `url = "${origin}/"\nusername = "ann@mox.example"\npassword = "${password}"\n`;
        const pair = (name: string, a: string, b: string) =>
          `[pair ${name}]\na = "${a}"\nb = "${b}"\ncollections = ["default"]\n`;
        const conf = join(dir, "config");
        await Deno.writeTextFile(
          conf,
          `[general]\nstatus_path = "${dir}/status/"\n` + pair("c", "cl", "cr") +
            pair("k", "kl", "kr") +
            storage("cl", "filesystem", `path = "${dir}/cal/"\nfileext = ".ics"\n`) +
            storage("kl", "filesystem", `path = "${dir}/cards/"\nfileext = ".vcf"\n`) +
            storage("cr", "caldav", remote) + storage("kr", "carddav", remote),
        );
        await Deno.mkdir(join(dir, "cal/default"), { recursive: true });
        await Deno.mkdir(join(dir, "cards/default"), { recursive: true });
        const sync = () => run("vdirsyncer", ["-c", conf, "sync"], { HOME: dir });
        await run("vdirsyncer", ["-c", conf, "discover"], { HOME: dir }, "y\ny\ny\ny\n");
        // From the server, and to it.
        const start = ["DTSTART:20270105T100000Z", "DTEND:20270105T110000Z"];
        await ann.put(
          "calendars/ann/default/s.ics",
          event("from-server", ...start, "SUMMARY:Served"),
        );
        await ann.put("addressbooks/ann/default/s.vcf", card("bea", "FN:Bea", "N:;Bea;;;"));
        const khalConf = join(dir, "khal");
        await Deno.writeTextFile(
          khalConf,
          `[calendars]\n[[default]]\npath = ${dir}/cal/default\n[locale]\ntimeformat = %H:%M\ndateformat = %Y-%m-%d\n` +
            `longdateformat = %Y-%m-%d\ndatetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n` +
            `local_timezone = Europe/Berlin\ndefault_timezone = Europe/Berlin\n[default]\ndefault_calendar = default\n[sqlite]\npath = ${dir}/khal.db\n`,
        );
        const khal = (...args: string[]) => run("khal", ["-c", khalConf, ...args], { HOME: dir });
        await sync();
        assert.match(await khal("list", "2027-01-05", "1d"), /11:00-12:00 Served/);
        await khal("new", "2027-03-30", "09:00", "10:00", "From khal", "--repeat", "weekly");
        await sync();
        const [file] = [...Deno.readDirSync(join(dir, "cal/default"))].filter((e) =>
          Deno.readTextFileSync(join(dir, "cal/default", e.name)).includes("From khal")
        );
        const found = await ann.report(
          "calendars/ann/default/",
          `<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/></D:prop>` +
            `<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">` +
            `<C:time-range start="20270413T070000Z" end="20270413T073000Z"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`,
        );
        assert.equal(found.length, 1);
        // A person by khard: from the server, and to it.
        if (findProgram("khard") !== undefined) {
          const khardConf = join(dir, "khard");
          await Deno.writeTextFile(
            khardConf,
            `[addressbooks]\n[[default]]\npath = ${dir}/cards/default\n[general]\neditor = true\nmerge_editor = true\n` +
              `[vcard]\npreferred_version = 4.0\n`,
          );
          const khard = (...args: string[]) =>
            run("khard", ["-c", khardConf, ...args], { HOME: dir });
          assert.match(await khard("list"), /Bea/);
          const form = join(dir, "form.yaml");
          await Deno.writeTextFile(
            form,
            'First name : Cy\nLast name : Lee\nPhone :\n    cell : "+49 171"\nEmail :\n    home : cy@x.example\n' +
              "Birthday : --02-28\n",
          );
          await khard("new", "-a", "default", "-i", form, "--vcard-version", "4.0");
          await sync();
          const [cy] = await ann.report(
            "addressbooks/ann/default/",
            `<A:addressbook-query ${ns}><D:prop><A:address-data/></D:prop><A:filter><A:prop-filter name="FN">` +
              `<A:text-match match-type="equals">Cy Lee</A:text-match></A:prop-filter></A:filter></A:addressbook-query>`,
          );
          const stored = (await ann.send("GET", cy.href)).text;
          assert.match(stored, /BDAY:--02-?28/);
          await ann.put(cy.href, stored.replace("+49 171", "+49 172"));
          await sync();
          assert.match(await khard("phone", "Cy"), /\+49 172/);
        }
        // A change here and a removal there.
        await ann.put("addressbooks/ann/default/s.vcf", card("bea", "FN:Bea Changed", "N:;Bea;;;"));
        await Deno.remove(join(dir, "cal/default", file.name));
        await sync();
        const people = [...Deno.readDirSync(join(dir, "cards/default"))]
          .map((e) => Deno.readTextFileSync(join(dir, "cards/default", e.name)));
        assert.ok(people.some((text) => text.includes("FN:Bea Changed")));
        assert.equal((await ann.send("GET", found[0].href)).status, 404);
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    }),
});

Deno.test("tsdav: discovery, objects, sync of a calendar and an address book", () =>
  withDav(async ({ ann, origin }) => {
    const login = async (defaultAccountType: "caldav" | "carddav") => {
      const c = new DAVClient({
        serverUrl: `${origin}/`,
        credentials: { username: "ann@mox.example", password },
        authMethod: "Basic",
        defaultAccountType,
      });
      await c.login();
      return c;
    };
    const calendars = await login("caldav");
    const [calendar] = await calendars.fetchCalendars();
    assert.equal(calendar.displayName, "Calendar");
    const text = event(
      "ts",
      "DTSTART:20270105T100000Z",
      "DTEND:20270105T110000Z",
      "SUMMARY:From tsdav",
    );
    const made = await calendars.createCalendarObject({
      calendar,
      filename: "ts.ics",
      iCalString: text,
    });
    assert.equal(made.status, 201);
    const [object] = await calendars.fetchCalendarObjects({
      calendar,
      timeRange: { start: "2027-01-01T00:00:00Z", end: "2027-02-01T00:00:00Z" },
    });
    assert.match(object.data, /From tsdav/);
    await ann.put("calendars/ann/default/other.ics", event("other", "DTSTART:20270106T100000Z"));
    const synced = await calendars.smartCollectionSync({
      collection: {
        ...calendar,
        objects: [object],
        objectMultiGet: calendars.calendarMultiGet.bind(calendars),
      },
      method: "webdav",
      detailedResult: true,
    });
    assert.equal(synced.objects.created.length, 1);
    assert.equal((await calendars.deleteCalendarObject({ calendarObject: object })).status, 204);
    const people = await login("carddav");
    const [book] = await people.fetchAddressBooks();
    const vCardString = card("p", "FN:Pat", "N:;Pat;;;");
    await people.createVCard({ addressBook: book, filename: "p.vcf", vCardString });
    const [person] = await people.fetchVCards({ addressBook: book });
    assert.match(person.data, /FN:Pat/);
  }));
