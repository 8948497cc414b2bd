/** Events with people, for clauses about them. */
import type { Client, Json } from "../world.ts";

/** The id of a user's default calendar. */
export const usual = async (c: Client): Promise<string> =>
  (await c.call("Calendar/get")).list.find((b: Json) => b.isDefault).id;

/** Someone who is invited and has not answered. */
export const person = (name: string, more: Json = {}) => ({
  "@type": "Participant",
  calendarAddress: `mailto:${name}`,
  roles: { attendee: true },
  participationStatus: "needs-action",
  ...more,
});

/** What Ann invites to. */
export const meeting = {
  organizerCalendarAddress: "mailto:ann@mox.example",
  participants: {
    a: person("ann@mox.example", {
      roles: { owner: true, attendee: true },
      participationStatus: "accepted",
    }),
    b: person("bob@mox.example"),
    x: person("carl@to.example", { name: "Carl" }),
  },
};

/** What Ann is invited to. */
export const invited = {
  organizerCalendarAddress: "mailto:boss@to.example",
  participants: {
    o: person("boss@to.example", { roles: { owner: true } }),
    a: person("ann@mox.example"),
  },
};
