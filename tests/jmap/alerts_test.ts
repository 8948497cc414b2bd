/** Alerts of events that come due (jmap-calendars §6): to event streams and push subscriptions that name them. */
import assert from "node:assert/strict";
import { CalendarAlerts } from "../../src/jmap/mod.ts";
import { Pusher } from "../../src/jmap/push/pusher.ts";
import { userAddressRule } from "../../src/net/mod.ts";
import { type Client, type Json, withJmap } from "./world.ts";

const minute = 60_000;
const event = (o: Json): Json => ({
  "@type": "Event",
  timeZone: "Europe/Berlin",
  duration: "PT1H",
  ...o,
});
const before = (offset: string, o: Json = {}): Json => ({
  "@type": "Alert",
  trigger: { "@type": "OffsetTrigger", offset },
  ...o,
});

/** Data of the events of a name in a stream. */
function follow(base: string, c: Client, types: string, wanted: string) {
  const told: Json[] = [];
  const open = fetch(`${base}eventsource?types=${types}&closeafter=no&ping=0`, {
    headers: { authorization: c.authorization },
  }).then(async (r) => {
    const reader = r.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader.read()).value ?? "";
    const read = async () => {
      for (;;) {
        const part = await reader.read();
        if (part.done) return;
        text += part.value;
        for (let at = text.indexOf("\n\n"); at >= 0; at = text.indexOf("\n\n")) {
          const [name, data] = ["event: ", "data: "].map((f) =>
            text.slice(0, at).split("\n").find((l) => l.startsWith(f))?.slice(f.length)
          );
          if (name === wanted) told.push(JSON.parse(data!));
          text = text.slice(at + 2);
        }
      }
    };
    const reading = read();
    return async () => {
      await reader.cancel();
      await reading;
    };
  });
  return { open, told };
}

Deno.test("jmap-calendars §6: alerts are told once, at their minute, by stream and push that name them", async () => {
  let now = Date.parse("2027-03-02T08:00:00Z");
  let alerts: CalendarAlerts | undefined;
  const pushed: Json[] = [];
  CalendarAlerts.forTests = { now: () => now, opened: (a) => alerts = a };
  Pusher.outboundForTests = {
    forUsers: userAddressRule({ allowed: [], own: () => [] }),
    request(call: Json) {
      pushed.push({ ...JSON.parse(call.body), host: call.url.host });
      return Promise.resolve({
        status: 201,
        headers: new Headers(),
        body: new Uint8Array(0),
        url: call.url,
      });
    },
  } as typeof Pusher.outboundForTests;
  try {
    await withJmap(async ({ ann, bob, base }) => {
      const { list: [calendar] } = await ann.call("Calendar/get");
      await ann.call("Calendar/set", {
        update: {
          [calendar.id]: {
            defaultAlertsWithTime: { usual: before("-PT30M") },
            defaultAlertsWithoutTime: null,
          },
        },
      });
      const inIt = { calendarIds: { [calendar.id]: true } };
      const { created, notCreated } = await ann.call("CalendarEvent/set", {
        create: {
          once: event({
            ...inIt,
            uid: "once",
            title: "Once",
            start: "2027-03-02T10:00:00",
            alerts: { soon: before("-PT10M"), late: before("-PT5M", { action: "email" }) },
          }),
          daily: event({
            ...inIt,
            uid: "daily",
            start: "2027-03-01T11:00:00",
            recurrenceRule: { "@type": "RecurrenceRule", frequency: "daily" },
            alerts: { day: before("PT0S") },
          }),
          usual: event({
            ...inIt,
            uid: "usual",
            start: "2027-03-02T12:00:00",
            useDefaultAlerts: true,
            alerts: { ignored: before("-PT1H") },
          }),
          seen: event({
            ...inIt,
            uid: "seen",
            start: "2027-03-02T10:00:00",
            alerts: { x: before("-PT10M", { acknowledged: "2027-03-02T08:50:00Z" }) },
          }),
        },
      });
      assert.deepEqual(notCreated ?? {}, {});
      const subscribe = async (c: Client, name: string, types: string[] | null) => {
        const r = await c.post({
          using: c.using,
          methodCalls: [["PushSubscription/set", {
            create: { s: { deviceClientId: "d", url: `https://${name}.example/x`, types } },
          }, "0"]],
        });
        const { id } = r.json.methodResponses[0][1].created.s;
        const code = () => pushed.find((p) => p.host === `${name}.example`)?.verificationCode;
        while (code() === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
        await c.post({
          using: c.using,
          methodCalls: [["PushSubscription/set", {
            update: { [id]: { verificationCode: code() } },
          }, "0"]],
        });
      };
      await subscribe(ann, "alerts", ["CalendarAlert"]);
      await subscribe(ann, "all", null);
      await subscribe(bob, "bob", ["CalendarAlert"]);
      const named = follow(base, ann, "CalendarAlert", "calendaralert");
      const any = follow(base, ann, "*", "calendaralert");
      const others = follow(base, bob, "CalendarAlert", "calendaralert");
      const ends = [await named.open, await any.open, await others.open];
      pushed.length = 0;
      const until = Date.parse("2027-03-02T11:00:00Z");
      for (; now <= until; now += minute) await alerts!.look();
      const alert = (uid: string, recurrenceId: string | null, alertId: string) => ({
        "@type": "CalendarAlert",
        accountId: ann.accountId,
        calendarEventId: created[uid].id,
        uid,
        recurrenceId,
        alertId,
      });
      const wanted = [
        alert("once", null, "soon"),
        alert("once", null, "late"),
        alert("daily", "2027-03-02T11:00:00", "day"),
        alert("usual", null, "usual"),
      ];
      while (named.told.length < 4 || pushed.length < 4) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      assert.deepEqual(named.told, wanted);
      // Each push is a request of its own.
      const byText = (list: Json[]) =>
        list.map((x) => JSON.stringify(Object.entries(x).sort())).sort();
      assert.deepEqual(
        byText(pushed),
        byText(wanted.map((a) => ({ ...a, host: "alerts.example" }))),
      );
      assert.deepEqual([any.told, others.told], [[], []]);
      for (const end of ends) await end();
    });
  } finally {
    CalendarAlerts.forTests = undefined;
    Pusher.outboundForTests = undefined;
  }
});
