/**
 * `deno task bench-groupware [events [rounds]]`: contacts and calendars of this server, by CalDAV and by JMAP: import,
 * a month of a large calendar, sync after one change. Prints medians as a table.
 *
 * @module
 */
import { startLocalserve } from "../support/localserve.ts";

const count = Number(Deno.args[0] ?? 20_000);
const rounds = Number(Deno.args[1] ?? 15);
const recurring = 500;

const server = await startLocalserve();
const origin = `http://127.0.0.1:${server.http}`;
const authorization = `Basic ${btoa("mox@localhost:moxmoxmox")}`;
const calendar = `${origin}/dav/calendars/mox/default/`;

async function dav(method: string, url: string, body: string, type: string): Promise<string> {
  const r = await fetch(url, {
    method,
    body,
    headers: { authorization, "content-type": type, Depth: "1" },
  });
  const text = await r.text();
  if (!r.ok) throw new Error(`${method} ${url}: ${r.status} ${text.slice(0, 200)}`);
  return text;
}

async function jmap(name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
  const r = await fetch(`${origin}/jmap/api`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({
      using: ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:calendars"],
      methodCalls: [[name, { accountId: "mox", ...args }, "0"]],
    }),
  });
  const { methodResponses: [[kind, result]] } = await r.json();
  if (kind === "error") throw new Error(`${name}: ${JSON.stringify(result)}`);
  return result;
}

const two = (n: number) => String(n).padStart(2, "0");
const stamp = (ms: number) => new Date(ms).toISOString().replace(/\.\d+|[-:]/g, "");

function event(n: number, summary = `Event ${n}`): string[] {
  const start = Date.UTC(2026, 0, 1) + (n * 7919 % 1000) * 86_400_000 + (n % 10) * 3_600_000;
  const rule = n % Math.round(count / recurring) === 0 ? ["RRULE:FREQ=WEEKLY"] : [];
  return [
    "BEGIN:VEVENT",
    `UID:bench-${n}`,
    "DTSTAMP:20260101T000000Z",
    `DTSTART:${stamp(start)}`,
    `DTEND:${stamp(start + 3_600_000)}`,
    ...rule,
    `SUMMARY:${summary}`,
    "END:VEVENT",
  ];
}
const file = (...events: string[][]) =>
  ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN", ...events.flat(), "END:VCALENDAR", ""]
    .join("\r\n");

const rows: [string, number[]][] = [];
async function timed(name: string, times: number, fn: (i: number) => Promise<unknown>) {
  const list: number[] = [];
  for (let i = 0; i < times; i++) {
    const begun = performance.now();
    await fn(i);
    list.push(performance.now() - begun);
  }
  rows.push([name, list.sort((a, b) => a - b)]);
}

const spaces = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"';
const sync = (token: string) =>
  dav(
    "REPORT",
    calendar,
    `<D:sync-collection ${spaces}><D:sync-token>${token}</D:sync-token><D:sync-level>1</D:sync-level>` +
      `<D:prop><D:getetag/></D:prop></D:sync-collection>`,
    "application/xml",
  );
const tokenIn = (text: string) => /sync-token>([^<]+)</.exec(text)![1];

try {
  const all = Array.from({ length: count }, (_, n) => event(n));
  await timed(
    `import of ${count} events by POST`,
    1,
    () => dav("POST", calendar, file(...all), "text/calendar"),
  );
  const month = (i: number) => {
    const [from, to] = [`2027${two(i % 11 + 1)}`, `2027${two(i % 11 + 2)}`];
    return dav(
      "REPORT",
      calendar,
      `<C:calendar-query ${spaces}><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR">` +
        `<C:comp-filter name="VEVENT"><C:time-range start="${from}01T000000Z" end="${to}01T000000Z"/>` +
        `</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`,
      "application/xml",
    );
  };
  await timed("a month by CalDAV, the first time", 1, () => month(0));
  await timed("a month by CalDAV", rounds, month);
  const query = (i: number) =>
    jmap("CalendarEvent/query", {
      filter: {
        after: `2027-${two(i % 11 + 1)}-01T00:00:00`,
        before: `2027-${two(i % 11 + 2)}-01T00:00:00`,
      },
      sort: [{ property: "start" }],
      expandRecurrences: true,
    });
  await timed("a month by JMAP, dates one by one", rounds, query);
  let token = tokenIn(await sync(""));
  let { newState } = { newState: (await jmap("CalendarEvent/get", { ids: [] })).state };
  const changes: number[] = [];
  const jmapChanges: number[] = [];
  for (let i = 0; i < rounds; i++) {
    await dav("PUT", `${calendar}bench-${i}.ics`, file(event(i, `Changed ${i}`)), "text/calendar");
    let begun = performance.now();
    token = tokenIn(await sync(token));
    changes.push(performance.now() - begun);
    begun = performance.now();
    newState = (await jmap("CalendarEvent/changes", { sinceState: newState })).newState;
    jmapChanges.push(performance.now() - begun);
  }
  rows.push(["sync of one change by CalDAV", changes.sort((a, b) => a - b)]);
  rows.push(["changes of one by JMAP", jmapChanges.sort((a, b) => a - b)]);
  await timed(
    "nothing at all (OPTIONS), for comparison",
    rounds,
    () => dav("OPTIONS", calendar, "", "text/plain").catch(() => ""),
  );
} finally {
  await server.close();
}
console.log("| what | median ms | longest ms |\n| --- | --- | --- |");
for (const [name, list] of rows) {
  console.log(`| ${name} | ${list[list.length >> 1].toFixed(1)} | ${list.at(-1)!.toFixed(1)} |`);
}
