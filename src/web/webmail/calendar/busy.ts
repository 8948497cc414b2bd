/** When prospective invitees are busy, for the form of an event. @module */
import type { Scheduler } from "../../../groupware/scheduling.ts";
import type { Config } from "../../../config/mod.ts";
import { minuteText, wallOf } from "../../../mail/calendar/event_form.ts";
import { day } from "../../../mail/calendar/time.ts";
import { toInstant, toWall } from "../../../mail/calendar/zones.ts";
import type { CallChecked, CallResponse } from "../../../../webmail/api/mod.ts";
import { UserError } from "../../http/mod.ts";
import { zoneOf } from "./reading.ts";

/** Longest time that is looked at. */
const maxSpan = 31 * day;
/** People of one question; of others nothing is said. */
const maxAsked = 50;
/** Busy times of one that are given. */
const maxTimes = 20;

const domainOf = (address: string) => address.slice(address.lastIndexOf("@") + 1).toLowerCase();

/** Busy times of those who have an address in a domain of the user's own (as CalDAV's programs are told). @throws UserError */
export async function busyPeople(
  s: { config: Config; scheduler: Scheduler },
  user: string,
  checked: CallChecked<"CalendarBusy">,
): Promise<CallResponse<"CalendarBusy">> {
  const zone = zoneOf(checked.zone);
  const [from, to] = [wallOf(checked.start), wallOf(checked.end)];
  if (from === undefined || to === undefined) throw new UserError("the time has no such date");
  const last = checked.end.length === 10 ? to + day : to;
  if (last <= from || last - from > maxSpan) return { people: [] };
  const range = { start: toInstant(zone, from), end: toInstant(zone, last) };
  const domains = new Set(s.config.accountAddresses(user).map(domainOf));
  const people = [];
  for (const address of checked.people.slice(0, maxAsked)) {
    const account = domains.has(domainOf(address)) ? s.config.accountFor(address) : undefined;
    if (account === undefined || !s.config.isHere(account)) {
      people.push({ address, known: false, busy: [] });
      continue;
    }
    const text = (at: number) => minuteText(toWall(zone, at));
    const busy = (await s.scheduler.times(account, range)).slice(0, maxTimes).map((busy) => ({
      start: text(Math.max(busy.start, range.start)),
      end: text(Math.min(busy.end, range.end)),
      perhaps: busy.kind === "BUSY-TENTATIVE",
    }));
    people.push({ address, known: true, busy });
  }
  return { people };
}
