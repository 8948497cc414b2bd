/** Requests of the DAV comparison, some four hundred. @module */
import { calendarObjects, cards } from "./dav_objects.ts";

export interface DavCase {
  name: string;
  method: string;
  /** Below the collection: "" is the collection itself. */
  path: string;
  home: "calendars" | "addressbooks";
  headers?: Record<string, string>;
  body?: string;
  /** What of the answer is compared beside its status. */
  compare?: "names" | "data" | "props" | "busy" | "condition";
}

const spaces = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" ' +
  'xmlns:A="urn:ietf:params:xml:ns:carddav"';
const depth1 = { Depth: "1" };

function query(name: string, filter: string, data = "", compare: DavCase["compare"] = "names") {
  const prop = data === "" ? "<D:getetag/>" : `<C:calendar-data>${data}</C:calendar-data>`;
  return {
    name,
    method: "REPORT",
    path: "",
    home: "calendars",
    headers: depth1,
    compare,
    body: `<C:calendar-query ${spaces}><D:prop>${prop}</D:prop><C:filter>` +
      `<C:comp-filter name="VCALENDAR">${filter}</C:comp-filter></C:filter></C:calendar-query>`,
  } satisfies DavCase;
}

const comp = (kind: string, inner: string) =>
  `<C:comp-filter name="${kind}">${inner}</C:comp-filter>`;
const range = (start: string, end: string, name = "time-range") =>
  `<C:${name}${start && ` start="${start}"`}${end && ` end="${end}"`}/>`;

/** Days of March and some odd spans. */
const spans: [string, string][] = [
  ...Array.from({ length: 31 }, (_x, n): [string, string] => {
    const day = (d: number) => `202703${String(d).padStart(2, "0")}T000000Z`;
    return [day(n + 1), n === 30 ? "20270401T000000Z" : day(n + 2)];
  }),
  ["20270301T000000Z", "20270401T000000Z"],
  ["20270310T100000Z", "20270310T100001Z"],
  ["20270310T110000Z", "20270310T120000Z"],
  ["20270310T090000Z", "20270310T100000Z"],
  ["20270311T120000Z", "20270311T120001Z"],
  ["20270312T090000Z", "20270312T090001Z"],
  ["20270328T003000Z", "20270328T004000Z"],
  ["20240229T120000Z", "20240229T130000Z"],
  ["20280101T000000Z", "20290101T000000Z"],
  ["20270401T000000Z", ""],
  ["", "20270301T000000Z"],
];

function ranges(): DavCase[] {
  const list: DavCase[] = [];
  for (const [from, to] of spans) {
    for (const kind of ["VEVENT", "VTODO", "VJOURNAL"]) {
      list.push(query(`${kind} ${from}-${to}`, comp(kind, range(from, to))));
    }
  }
  for (const [from, to] of spans.slice(8, 32)) {
    const rings = comp("VALARM", range(from, to));
    list.push(query(`VALARM ${from}-${to}`, comp("VEVENT", rings)));
  }
  return list;
}

function expansions(): DavCase[] {
  const list: DavCase[] = [];
  const wide: [string, string][] = [
    ["20270301T000000Z", "20270401T000000Z"],
    ["20270310T000000Z", "20270320T000000Z"],
    ["20270327T000000Z", "20270330T000000Z"],
    ["20270101T000000Z", "20270201T000000Z"],
  ];
  for (const [from, to] of wide) {
    for (const name of ["expand", "limit-recurrence-set"]) {
      const data = range(from, to, name);
      list.push(
        query(`${name} ${from}-${to}`, comp("VEVENT", range(from, to)), data, "data"),
      );
    }
    list.push({
      name: `free-busy ${from}-${to}`,
      method: "REPORT",
      path: "",
      home: "calendars",
      headers: depth1,
      compare: "busy",
      body: `<C:free-busy-query ${spaces}>${range(from, to)}</C:free-busy-query>`,
    });
  }
  return list;
}

const text = (value: string, more = "") => `<C:text-match${more}>${value}</C:text-match>`;
const prop = (name: string, inner: string) =>
  `<C:prop-filter name="${name}">${inner}</C:prop-filter>`;

function properties(): DavCase[] {
  const list: DavCase[] = [];
  const of = (what: string, filter: string, kind = "VEVENT") =>
    list.push(query(what, comp(kind, filter)));
  for (const name of ["LOCATION", "CATEGORIES", "STATUS", "RRULE", "X-COLOUR", "TRANSP"]) {
    of(`${name} there`, prop(name, ""));
    of(`${name} not there`, prop(name, "<C:is-not-defined/>"));
  }
  const words = ["day", "DAY", "Jürgen", "jürgen", "room 5", "office, room", "Food", "lines", "x"];
  for (const name of ["SUMMARY", "LOCATION", "DESCRIPTION", "CATEGORIES"]) {
    for (const w of words) {
      of(`${name} has ${w}`, prop(name, text(w)));
      of(`${name} has ${w}, by octets`, prop(name, text(w, ' collation="i;octet"')));
      of(`${name} hasn't ${w}`, prop(name, text(w, ' negate-condition="yes"')));
    }
  }
  of("DTSTART with TZID", prop("DTSTART", '<C:param-filter name="TZID"/>'));
  of(
    "DTSTART without TZID",
    prop("DTSTART", '<C:param-filter name="TZID"><C:is-not-defined/></C:param-filter>'),
  );
  of(
    "DTSTART with a TZID of Berlin",
    prop("DTSTART", `<C:param-filter name="TZID">${text("berlin")}</C:param-filter>`),
  );
  of("two at once", prop("SUMMARY", text("day")) + prop("RRULE", ""));
  of("a time of DTSTAMP", prop("DTSTAMP", range("20260101T000000Z", "20260102T000000Z")));
  of("another time of DTSTAMP", prop("DTSTAMP", range("20270101T000000Z", "20270102T000000Z")));
  of("tasks that are done", prop("STATUS", text("COMPLETED")), "VTODO");
  of("tasks not done", prop("COMPLETED", "<C:is-not-defined/>"), "VTODO");
  of("events with alarms", comp("VALARM", ""));
  of("events without alarms", comp("VALARM", "<C:is-not-defined/>"));
  list.push(query("all", ""));
  for (const kind of ["VEVENT", "VTODO", "VJOURNAL", "VTIMEZONE", "VFREEBUSY", "X-NONE"]) {
    list.push(query(`with ${kind}`, comp(kind, "")));
    list.push(query(`without ${kind}`, comp(kind, "<C:is-not-defined/>")));
  }
  return list;
}

function cardQueries(): DavCase[] {
  const list: DavCase[] = [];
  const ask = (name: string, filter: string, test = "") =>
    list.push({
      name,
      method: "REPORT",
      path: "",
      home: "addressbooks",
      headers: depth1,
      compare: "names",
      body: `<A:addressbook-query ${spaces}><D:prop><D:getetag/></D:prop>` +
        `<A:filter${test}>${filter}</A:filter></A:addressbook-query>`,
    });
  const match = (s: string, more = "") => `<A:text-match${more}>${s}</A:text-match>`;
  const of = (name: string, inner: string, more = "") =>
    `<A:prop-filter name="${name}"${more}>${inner}</A:prop-filter>`;
  for (const name of ["FN", "EMAIL", "NICKNAME", "ORG", "NOTE", "CATEGORIES", "TEL", "URL"]) {
    ask(`${name} there`, of(name, ""));
    ask(`${name} not there`, of(name, "<A:is-not-defined/>"));
    for (const w of ["ada", "example", "ÅNGSTRÖM", "engines", "more"]) {
      for (const type of ["contains", "equals", "starts-with", "ends-with"]) {
        ask(`${name} ${type} ${w}`, of(name, match(w, ` match-type="${type}"`)));
      }
      ask(`${name} hasn't ${w}`, of(name, match(w, ' negate-condition="yes"')));
    }
  }
  const two = of("FN", match("ada")) + of("EMAIL", match("example.com"));
  ask("one of two", two, ' test="anyof"');
  ask("both of two", two, ' test="allof"');
  const inOne = match("ada") + match("lovelace");
  ask("both in one", of("FN", inOne, ' test="allof"'));
  ask("one of both in one", of("FN", inOne, ' test="anyof"'));
  const type = `<A:param-filter name="TYPE">${match("work")}</A:param-filter>`;
  ask("addresses of work", of("EMAIL", type));
  ask(
    "addresses without a type",
    of("EMAIL", '<A:param-filter name="TYPE"><A:is-not-defined/></A:param-filter>'),
  );
  return list;
}

const put = (
  name: string,
  path: string,
  body: string,
  o: Partial<DavCase> = {},
): DavCase => ({
  name: `PUT: ${name}`,
  method: "PUT",
  path,
  home: "calendars",
  body,
  compare: "condition",
  ...o,
  headers: { "Content-Type": "text/calendar", ...o.headers },
});

function writes(): DavCase[] {
  const { utc, daily } = calendarObjects;
  const other = utc.replace("UID:utc", "UID:new");
  const vcard = { "Content-Type": "text/vcard" };
  const books = { home: "addressbooks", headers: vcard } as const;
  return [
    put("the same again", "utc", utc),
    put("another UID in its place", "utc", other),
    put("a UID that is elsewhere", "copy", utc),
    put("no UID", "nouid", utc.replace("UID:utc\r\n", "")),
    put("not a calendar", "bad1", "hello"),
    put("empty", "bad2", ""),
    put("cut off", "bad3", utc.slice(0, 120)),
    put("a METHOD", "bad4", other.replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST")),
    put(
      "two UIDs",
      "bad5",
      other.replace("END:VCALENDAR", daily.slice(daily.indexOf("BEGIN:VEVENT"))),
    ),
    put(
      "an event and a task",
      "bad6",
      other.replace(
        "END:VCALENDAR",
        "BEGIN:VTODO\r\nUID:new\r\nDTSTAMP:20260101T000000Z\r\nEND:VTODO\r\nEND:VCALENDAR",
      ),
    ),
    put(
      "nothing within",
      "bad7",
      "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x\r\nEND:VCALENDAR\r\n",
    ),
    put("text/plain", "bad8", other, { headers: { "Content-Type": "text/plain" } }),
    put("a card", "bad9", cards.ada, { headers: vcard }),
    put("If-None-Match of what is there", "utc", utc, { headers: { "If-None-Match": "*" } }),
    put("If-Match of what isn't there", "gone", other, { headers: { "If-Match": "*" } }),
    put("If-Match of another version", "utc", utc, { headers: { "If-Match": '"nothing"' } }),
    put("below an object", "utc/below", other),
    put("in no collection", "../nowhere/x", other),
    put("a new one", "new", other, { headers: { "If-None-Match": "*" } }),
    put("version 1.0", "bad10", other.replace("VERSION:2.0", "VERSION:1.0")),
    put(
      "a rule that is none",
      "bad11",
      other.replace("UID:new", "UID:rule").replace(
        "SUMMARY",
        "RRULE:FREQ=SOMETIMES\r\nSUMMARY",
      ),
    ),
    put(
      "the end before the start",
      "bad12",
      other.replace("UID:new", "UID:back").replace(
        "DTEND:20270310T110000Z",
        "DTEND:20270309T110000Z",
      ),
    ),
    put(
      "a date that is none",
      "bad13",
      other.replace("UID:new", "UID:date").replace(
        "DTSTART:20270310",
        "DTSTART:20271399",
      ),
    ),
    put(
      "no DTSTART",
      "bad14",
      other.replace("UID:new", "UID:start").replace(
        /DT(?:START|END):.*\r\n/g,
        "",
      ),
    ),
    put("a card again", "ada", cards.ada, books),
    put("a card with another UID", "ada", cards.ada.replace("UID:ada", "UID:other"), books),
    put("a card's UID elsewhere", "ada2", cards.ada, books),
    put("a card without FN", "badcard1", cards.ada.replace(/FN:.*\r\n/, ""), books),
    put("a card without UID", "badcard2", cards.ada.replace("UID:ada\r\n", ""), books),
    put("no card", "badcard3", "hello", books),
    put("a calendar among cards", "badcard4", utc, {
      home: "addressbooks",
      headers: { "Content-Type": "text/calendar" },
    }),
  ];
}

function others(): DavCase[] {
  const find = (name: string, path: string, props: string, home: DavCase["home"], d = "0") => ({
    name: `PROPFIND ${name}`,
    method: "PROPFIND",
    path,
    home,
    headers: { Depth: d },
    compare: "props" as const,
    body: `<D:propfind ${spaces}><D:prop>${props}</D:prop></D:propfind>`,
  });
  const names = [
    "<D:resourcetype/>",
    "<D:getcontenttype/>",
    "<D:getcontentlength/>",
    "<D:displayname/>",
    "<C:supported-calendar-component-set/>",
    "<D:no-such-thing/>",
    '<X:unknown xmlns:X="urn:x"/>',
    "<D:supportedlock/>",
    "<D:quota-available-bytes/>",
  ];
  const list: DavCase[] = names.flatMap((n) => [
    find(`${n} of the calendar`, "", n, "calendars"),
    find(`${n} of an event`, "utc", n, "calendars"),
    find(`${n} of the book`, "", n, "addressbooks"),
    find(`${n} of a card`, "ada", n, "addressbooks"),
  ]);
  const simple = (
    name: string,
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string,
  ) => list.push({ name, method, path, home: "calendars", headers, body, compare: "condition" });
  simple("GET", "GET", "utc");
  simple("HEAD", "HEAD", "utc");
  simple("GET of nothing", "GET", "nothing");
  simple("GET of another version", "GET", "utc", { "If-Match": '"nothing"' });
  simple("GET of any version", "GET", "utc", { "If-Match": "*" });
  simple("PROPFIND of nothing", "PROPFIND", "nothing", { Depth: "0" });
  simple("PROPFIND that is no XML", "PROPFIND", "", { Depth: "0" }, "<hello");
  simple("REPORT that is none", "REPORT", "", depth1, `<D:hello ${spaces}/>`);
  simple("REPORT without a body", "REPORT", "", depth1);
  simple(
    "REPORT with a filter that is none",
    "REPORT",
    "",
    depth1,
    `<C:calendar-query ${spaces}><D:prop/><C:filter><C:comp-filter name="VEVENT"/></C:filter></C:calendar-query>`,
  );
  simple(
    "REPORT with a collation that is none",
    "REPORT",
    "",
    depth1,
    query("", comp("VEVENT", prop("SUMMARY", text("x", ' collation="i;none"')))).body,
  );
  simple(
    "REPORT with times that are none",
    "REPORT",
    "",
    depth1,
    query("", comp("VEVENT", range("yesterday", "tomorrow"))).body,
  );
  simple(
    "sync with a token that is none",
    "REPORT",
    "",
    depth1,
    `<D:sync-collection ${spaces}><D:sync-token>data:,none</D:sync-token><D:sync-level>1</D:sync-level><D:prop/></D:sync-collection>`,
  );
  simple("MKCALENDAR where one is", "MKCALENDAR", "");
  simple("MKCALENDAR below a calendar", "MKCALENDAR", "below/");
  simple("MKCOL below a calendar", "MKCOL", "below/");
  simple("a method that is none", "HELLO", "");
  simple("COPY onto itself", "COPY", "utc", { Destination: "utc" });
  simple("COPY in the same calendar", "COPY", "utc", { Destination: "copied" });
  simple("MOVE", "MOVE", "oneday", { Destination: "moved" });
  simple("MOVE over another", "MOVE", "moved", { Destination: "utc", Overwrite: "F" });
  simple("MOVE to nowhere", "MOVE", "moved", { Destination: "../nowhere/x" });
  simple("MOVE back", "MOVE", "moved", { Destination: "oneday" });
  simple("MOVE of nothing", "MOVE", "nothing", { Destination: "something" });
  simple("DELETE of another version", "DELETE", "tentative", { "If-Match": '"nothing"' });
  simple("DELETE of nothing", "DELETE", "nothing");
  simple("DELETE", "DELETE", "tentative");
  simple("DELETE again", "DELETE", "tentative");
  simple(
    "PROPPATCH",
    "PROPPATCH",
    "",
    {},
    `<D:propertyupdate ${spaces}><D:set><D:prop><D:displayname>New name</D:displayname></D:prop></D:set></D:propertyupdate>`,
  );
  list.push(find("the new name", "", "<D:displayname/>", "calendars"));
  simple(
    "PROPPATCH of what is protected",
    "PROPPATCH",
    "",
    {},
    `<D:propertyupdate ${spaces}><D:set><D:prop><D:getetag>x</D:getetag></D:prop></D:set></D:propertyupdate>`,
  );
  list.push({
    name: "multiget",
    method: "REPORT",
    path: "",
    home: "calendars",
    headers: depth1,
    compare: "data",
    body: `<C:calendar-multiget ${spaces}><D:prop><C:calendar-data/></D:prop>` +
      ["utc", "weekly", "nothing", "todo"].map((n) => `<D:href>@/${n}</D:href>`).join("") +
      "</C:calendar-multiget>",
  });
  list.push({ ...query("all after the writes", ""), compare: "names" });
  return list;
}

/** All requests, in their order: those that write come last. */
export function davCases(): DavCase[] {
  return [
    ...ranges(),
    ...expansions(),
    ...properties(),
    ...cardQueries(),
    ...writes(),
    ...others(),
  ];
}
