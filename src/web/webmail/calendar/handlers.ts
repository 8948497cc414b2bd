/** Handlers of the calls about calendars. @module */
import type { calendarCalls } from "../../../../webmail/api/calendar.ts";
import { storedSeries } from "../../../groupware/objects.ts";
import { invitee, inviteesOf, readForm } from "../../../mail/calendar/event_form.ts";
import { readDate, readFollowing } from "../../../mail/calendar/event_dates.ts";
import { exceptionsOf } from "../../../mail/calendar/event_change.ts";
import { property } from "../../../mail/contentline/component.ts";
import type { Account } from "../../../store/account/account.ts";
import type { Groupware } from "../../../store/groupware/groupware.ts";
import type { ObjectRow } from "../../../store/groupware/types.ts";
import type { CallChecked, CallResponse } from "../../../../webmail/api/mod.ts";
import { type CallHandlers, UserError } from "../../http/mod.ts";
import type { WebmailServices } from "../services.ts";
import { busyPeople } from "./busy.ts";
import { calendarList, calendarsOf, eventRow, Gathered, periodOf, zoneOf } from "./reading.ts";
import { withSharing } from "../owners.ts";
import { eachCalendarOwner, sharedEvent } from "./shared.ts";
import {
  answerEvent,
  deleteEvent,
  foreignOrganizer,
  invitedAs,
  rethrowCalendar,
  saveEvent,
  type WriteContext,
} from "./writing.ts";

/** An event in the shape of the page's form. @throws UserError */
function gotten(
  groupware: Groupware,
  row: ObjectRow,
  r: Pick<CallChecked<"CalendarEventGet">, "zone" | "part">,
  mine: (address: string) => boolean,
): CallResponse<"CalendarEventGet"> {
  const zone = zoneOf(r.zone);
  try {
    const series = storedSeries(groupware, row, zone);
    const whole = series.master ?? series.overrides()[0]?.component;
    if (whole === undefined || property(whole, "DTSTART") === undefined) {
      throw new UserError("this event has no time that can be shown");
    }
    const { component: c, form } = r.part === null
      ? { component: whole, form: readForm(series, whole, zone, mine) }
      : r.part.following
      ? readFollowing(series, r.part.date, zone, mine)
      : readDate(series, r.part.date, zone, mine);
    const organizer = foreignOrganizer(series, mine);
    const me = organizer && invitedAs(series.calendar, mine);
    const people = inviteesOf(c).slice(0, 1000);
    return {
      etag: row.etag,
      event: form,
      organizer: organizer === undefined ? null : invitee(organizer),
      people,
      answer: me === undefined ? null : people.find((p) => p.address === me)?.status ?? null,
      exceptions: r.part?.following === false ? 0 : exceptionsOf(series),
    };
  } catch (err) {
    rethrowCalendar(err);
  }
}

/** The handlers; `who` identifies the caller. */
export function calendarHandlers<C>(
  services: WebmailServices,
  who: (ctx: C) => { account: Account; loginAddress: string },
): CallHandlers<typeof calendarCalls, C> {
  const { config } = services;
  const mineOf = (account: string) => (address: string) => {
    const at = address.lastIndexOf("@");
    return at > 0 &&
      config.mayUseFrom(account, address.slice(0, at), address.slice(at + 1)) === "yes";
  };
  /** Writes to the user's own calendars, or to those that somebody shares. */
  const writing = async <T>(
    ctx: C,
    owner: string,
    fn: (context: WriteContext) => Promise<T>,
  ): Promise<T> => {
    const { scheduler } = services;
    if (scheduler === undefined) throw new UserError("there are no calendars on this server");
    const { account, loginAddress } = who(ctx);
    if (owner !== "") {
      return await withSharing(services, account.name, owner, "event", (g) =>
        fn({
          account: owner,
          guest: account.name,
          g,
          scheduler,
          mine: mineOf(owner),
          me: { name: "", address: "" },
        }));
    }
    const mine = mineOf(account.name);
    const addresses = config.accountAddresses(account.name).filter((a) => mine(a));
    const address = mine(loginAddress) ? loginAddress : addresses[0] ?? "";
    const name = config.account(account.name)?.FullName ?? "";
    const g = await account.groupware();
    const me = { name, address };
    return await fn({ account: account.name, guest: undefined, g, scheduler, mine, me });
  };

  return {
    async CalendarItems(r, ctx) {
      const { account } = who(ctx);
      const zone = zoneOf(r.zone);
      const range = periodOf(r.from, r.to, zone);
      const mine = mineOf(account.name);
      const g = await account.groupware();
      const gathered = new Gathered();
      await gathered.add({ g, calendars: calendarsOf(g), owner: "" }, range, zone, mine);
      const calendars = calendarList(g);
      await eachCalendarOwner(services, account.name, async (owner, groupware, shared) => {
        calendars.push(...calendarList(groupware, shared, { owner, user: account.name }));
        await gathered.add({ g: groupware, calendars: shared, owner }, range, zone, mineOf(owner));
      });
      return { calendars, ...gathered.done() };
    },
    async CalendarBusy(r, ctx) {
      const { scheduler } = services;
      if (scheduler === undefined) return { people: [] };
      return await busyPeople({ config, scheduler }, who(ctx).account.name, r);
    },
    async CalendarEventGet(r, ctx) {
      const { account } = who(ctx);
      if (r.owner !== "") {
        return await sharedEvent(services, account.name, r, (groupware, row) => {
          const got = gotten(groupware, row, r, mineOf(r.owner));
          return Promise.resolve({ ...got, answer: null });
        });
      }
      const g = await account.groupware();
      return gotten(g, eventRow(g, r.calendarId, r.name), r, mineOf(account.name));
    },
    async CalendarEventSave(r, ctx) {
      try {
        return await writing(ctx, r.owner, (w) => saveEvent(w, r));
      } catch (err) {
        rethrowCalendar(err);
      }
    },
    async CalendarEventAnswer(r, ctx) {
      try {
        await writing(ctx, "", (w) => answerEvent(w, r));
        return {};
      } catch (err) {
        rethrowCalendar(err);
      }
    },
    async CalendarEventDelete(r, ctx) {
      try {
        await writing(ctx, r.owner, (w) => deleteEvent(w, r));
        return {};
      } catch (err) {
        rethrowCalendar(err);
      }
    },
  };
}
