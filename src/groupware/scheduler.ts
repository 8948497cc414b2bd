/**
 * Scheduling (RFC 6638): a user's write to a calendar, and the messages to others that follow from it. Users of
 * this server get them into their calendars immediately; everybody gets them by mail.
 *
 * The messages are queued before the event is stored: if the server stops in between, the program retries, and
 * participants are notified twice rather than never.
 *
 * @module
 */
import type { Config } from "../config/mod.ts";
import { Log } from "../log/mod.ts";
import { freeBusyComponent, joined, newCalendar } from "../mail/calendar/freebusy.ts";
import {
  addressOf,
  answersOf,
  attendeesOf,
  isDraftEvent,
  organizerOf,
  partsOf,
  sameOrganizer,
  sentTo,
  withStatus,
} from "../mail/calendar/itip.ts";
import { cancellationFor, invitationFor, replyOf } from "../mail/calendar/itip_messages.ts";
import { asChanged, asInvitation } from "../mail/calendar/reschedule.ts";
import { declinedDates } from "../mail/calendar/declined_dates.ts";
import { readObject } from "../mail/calendar/object.ts";
import type { Series } from "../mail/calendar/series.ts";
import {
  type Component,
  newProperty,
  param,
  type Property,
  property,
  writeComponent,
} from "../mail/contentline/component.ts";
import type { Accounts } from "../store/account/accounts.ts";
import type { Groupware } from "../store/groupware/groupware.ts";
import { accountBusy } from "./busy.ts";
import { newTag, takeMessage } from "./incoming.ts";
import { nextMessageTime } from "./message_times.ts";
import { storedSeries } from "./objects.ts";
import { defaultCalendar } from "./default_calendar.ts";
import {
  type BusyAnswer,
  type CalendarWrite,
  type Scheduled,
  type Scheduler,
  SchedulingError,
} from "./scheduling.ts";

const log = new Log("dav");

/** Most people notified by one write. */
const maxListed = 500;
/** Comments sent with an answer; further ones stay in the calendar. */
const maxComments = 10;
/** The longest span of a query, in milliseconds. */
const longestBusy = 400 * 86_400_000;
/** An iTIP message sent by mail. */
export interface CalendarMail {
  account: string;
  /** The user's address in the event. */
  from: string;
  to: string;
  method: string;
  series: Series;
  message: Component;
}

export interface SchedulerServices {
  config: Config;
  accounts: Accounts;
  /** Queues a message; durable when it resolves. @throws an error that the user may see */
  send(mail: CalendarMail): Promise<void>;
  now?: () => number;
}

const parts = (a: string): [string, string] => {
  const at = a.lastIndexOf("@");
  return [a.slice(0, at), a.slice(at + 1)];
};

/** Whether the server must notify an attendee (RFC 6638 §7.1). */
const serverTells = (agent: string | undefined) =>
  agent === undefined || agent.toUpperCase() === "SERVER";

/** What somebody says with an answer: the comments that it adds. */
function commentsOn(was: Series | undefined, answers: readonly Component[]): Property[] {
  if (was === undefined) return [];
  const of = (list: readonly Component[]) =>
    list.flatMap((c) => c.properties.filter((p) => p.name === "COMMENT"));
  const before = new Set(of(partsOf(was.calendar)).map((p) => p.value));
  return of(answers).filter((p) => !before.has(p.value)).slice(0, maxComments);
}

/** A calendar as an object to store. */
function objectOf(calendar: Component): { content: Uint8Array; series: Series } {
  const content = new TextEncoder().encode(writeComponent(calendar));
  return { content, series: readObject(content) };
}

export function openScheduler(services: SchedulerServices): Scheduler {
  const { config } = services;
  const now = services.now ?? Date.now;
  const mineOf = (account: string) => (address: string) =>
    address.includes("@") && config.mayUseFrom(account, ...parts(address)) === "yes";

  const timeOf = (account: string, uid: string) =>
    nextMessageTime(services.accounts, account, uid, now());

  const withGroupware = async <T>(
    name: string,
    fn: (groupware: Groupware) => Promise<T>,
  ): Promise<T> => {
    const account = await services.accounts.open(name);
    try {
      return await fn(await account.groupware());
    } finally {
      account.close();
    }
  };

  /** Notifies one person. Returns the status of RFC 6638 §3.2.9. */
  const tell = async (mail: CalendarMail): Promise<string> => {
    const local = config.accountFor(mail.to);
    let status = "1.1";
    try {
      await services.send(mail);
    } catch (err) {
      log.warn("an event's message can't be sent", { to: mail.to, err: err as Error });
      status = "5.1";
    }
    if (local !== undefined && local !== mail.account) {
      try {
        await withGroupware(
          local,
          (g) =>
            takeMessage({
              g,
              mine: mineOf(local),
              from: mail.from,
              accountOf: (a) => config.accountFor(a),
            }, writeComponent(mail.message)),
        );
        status = "1.2";
      } catch (err) {
        log.error("an event's message can't be put into a calendar", {
          account: local,
          err: err as Error,
        });
      }
    }
    return status;
  };

  const before = (write: CalendarWrite): Series | undefined => {
    try {
      const was = write.before && storedSeries(write.g, write.before);
      // Nobody was notified of a draft.
      return was && isDraftEvent(was.calendar) ? undefined : was;
    } catch {
      return undefined;
    }
  };

  /** Sends cancellations to those no longer invited. */
  const cancelled = async (
    account: string,
    from: string,
    was: Series,
    gone: Iterable<string>,
    at: number,
  ): Promise<void> => {
    const mine = mineOf(account);
    let n = 0;
    for (const to of gone) {
      const p = attendeesOf(was.calendar).get(to);
      if (mine(to) || !serverTells(p && param(p, "SCHEDULE-AGENT")) || ++n > maxListed) continue;
      const message = cancellationFor(was, to, at);
      await tell({ account, from, to, method: "CANCEL", series: was, message });
    }
  };

  const asOrganizer = async (
    write: CalendarWrite,
    series: Series,
    from: string,
    was: Series | undefined,
    at: number,
  ): Promise<Map<string, string>> => {
    const mine = mineOf(write.account);
    const invited = attendeesOf(series.calendar);
    const status = new Map<string, string>();
    const known = was && attendeesOf(was.calendar);
    for (const [to, p] of invited) {
      if (mine(to) || !serverTells(param(p, "SCHEDULE-AGENT")) || status.size >= maxListed) {
        continue;
      }
      const old = known?.get(to);
      // Whom the server didn't tell before, it tells now (RFC 6638 §3.2.1.2).
      const unchanged = was !== undefined && old !== undefined &&
        serverTells(param(old, "SCHEDULE-AGENT")) && sentTo(was, to) === sentTo(series, to);
      if (unchanged && param(p, "SCHEDULE-FORCE-SEND")?.toUpperCase() !== "REQUEST") {
        // Properties that the client left out stay.
        const told = param(old, "SCHEDULE-STATUS");
        if (told !== undefined && param(p, "SCHEDULE-STATUS") === undefined) status.set(to, told);
        continue;
      }
      const message = invitationFor(series, to, at);
      if (message === undefined) continue;
      const mail = { account: write.account, from, to, method: "REQUEST", series, message };
      status.set(to, await tell(mail));
    }
    // People without a mail address can't be told (RFC 6638 §3.2.9).
    const unreachable = partsOf(series.calendar).some((c) =>
      c.properties.some((p) =>
        p.name === "ATTENDEE" && addressOf(p) === "" && serverTells(param(p, "SCHEDULE-AGENT"))
      )
    );
    if (unreachable) status.set("", "3.7");
    if (was !== undefined) {
      // Whom another tells from now on hears from the server that it doesn't any more (RFC 6638 §3.2.1.2).
      const gone = [...known!.keys()].filter((a) => {
        const p = invited.get(a);
        return p === undefined || !serverTells(param(p, "SCHEDULE-AGENT"));
      });
      await cancelled(write.account, from, was, gone, at);
    }
    return status;
  };

  const asInvited = async (
    write: CalendarWrite,
    series: Series,
    organizer: Property,
    was: Series | undefined,
  ): Promise<Map<string, string>> => {
    const mine = mineOf(write.account);
    const to = addressOf(organizer);
    const me = [...attendeesOf(series.calendar).keys()].find(mine);
    const status = new Map<string, string>();
    if (me === undefined) return status;
    const old = was && answersOf(was, me);
    // RFC 6638 §7.2: asked for, an answer goes again.
    const again = param(organizer, "SCHEDULE-FORCE-SEND")?.toUpperCase() === "REPLY";
    const answers = [...answersOf(series, me)].filter(([key, { status }]) =>
      again || status !== (old?.get(key)?.status ?? old?.get("")?.status ?? "NEEDS-ACTION")
    ).map(([, { part }]) => part);
    if (was !== undefined) answers.push(...declinedDates(was, series, me));
    if (answers.length === 0) return status;
    const at = timeOf(write.account, series.uid);
    const message = replyOf(series, me, answers, at, undefined, commentsOn(was, answers));
    const mail = { account: write.account, from: me, to, method: "REPLY", series, message };
    status.set(to, await tell(mail));
    return status;
  };

  /** The organizer of an object by property; undefined if nobody else is concerned. */
  const organizerProperty = (series: Series | undefined) => {
    if (series === undefined) return undefined;
    const p = organizerOf(series.calendar);
    return p !== undefined && addressOf(p) !== "" && attendeesOf(series.calendar).size > 0
      ? p
      : undefined;
  };

  /** Tells of a removal, or of an event that is nobody else's business any more. */
  const removed = async (write: CalendarWrite): Promise<void> => {
    const was = before(write);
    const p = organizerProperty(was);
    if (was === undefined || p === undefined) return;
    const mine = mineOf(write.account);
    const organizer = addressOf(p);
    const at = timeOf(write.account, was.uid);
    if (mine(organizer)) {
      await cancelled(write.account, organizer, was, attendeesOf(was.calendar).keys(), at);
      return;
    }
    const me = [...attendeesOf(was.calendar).keys()].find(mine);
    if (me === undefined || !write.reply || !serverTells(param(p, "SCHEDULE-AGENT"))) return;
    const open = [...answersOf(was, me).values()].filter((x) => x.status !== "DECLINED")
      .map((x) => x.part).filter((c) => property(c, "STATUS")?.value !== "CANCELLED");
    if (open.length === 0) return;
    const message = replyOf(was, me, open, at, "DECLINED");
    await tell({
      account: write.account,
      from: me,
      to: organizer,
      method: "REPLY",
      series: was,
      message,
    });
  };

  return {
    defaultCalendar,

    async write(w): Promise<Scheduled> {
      let { series, content } = w.after;
      const was = before(w);
      const mine = mineOf(w.account);
      const p = organizerProperty(series);
      if (!sameOrganizer(series.calendar)) {
        throw new SchedulingError(
          "same-organizer-in-all-components",
          "the components have different organizers",
        );
      }
      if (isDraftEvent(series.calendar)) {
        return { content, series, scheduleTag: "", changed: false };
      }
      if (p === undefined) {
        // Nobody is invited any more: a removal for all others (RFC 6638 §3.2.3.1).
        await removed(w);
        return { content, series, scheduleTag: "", changed: false };
      }
      const other = w.g.eventsByUid(series.uid).find((o) =>
        o.scheduleTag !== "" && o.id !== w.before?.id
      );
      if (other !== undefined) {
        throw new SchedulingError(
          "unique-scheduling-object-resource",
          "the event is in another calendar already",
          { collection: w.g.collectionById(other.collectionId)?.name ?? "", name: other.name },
        );
      }
      const organizer = addressOf(p);
      const own = mine(organizer);
      const old = organizerProperty(was);
      if (
        old !== undefined && addressOf(old) !== organizer && !(own && mine(addressOf(old)))
      ) {
        throw new SchedulingError(
          mine(addressOf(old))
            ? "allowed-organizer-scheduling-object-change"
            : "allowed-attendee-scheduling-object-change",
          "an event keeps its organizer",
        );
      }
      const agent = serverTells(param(p, "SCHEDULE-AGENT"));
      let changed = false;
      if (was !== undefined && (own || agent && old !== undefined)) {
        const calendar = own ? asChanged(was, series, mine) : asInvitation(was, series);
        changed = calendar !== series.calendar;
        if (changed) ({ content, series } = objectOf(calendar));
      }
      const status = own
        ? await asOrganizer(w, series, organizer, was, timeOf(w.account, series.uid))
        : agent
        ? await asInvited(w, series, p, was)
        : new Map<string, string>();
      const scheduleTag = newTag();
      if (status.size === 0) return { content, series, scheduleTag, changed };
      const calendar = withStatus(series.calendar, own ? "ATTENDEE" : "ORGANIZER", status);
      return { ...objectOf(calendar), scheduleTag, changed: true };
    },

    remove: removed,

    times: (account, range, skips) =>
      withGroupware(
        account,
        async (g) => joined(await accountBusy(g, range, mineOf(account), skips)),
      ),

    async busy(account, request, recipients): Promise<BusyAnswer[]> {
      const answers: BusyAnswer[] = [];
      const [i] = request.instances(-Infinity, Infinity, 1);
      const range = { start: i?.start ?? 0, end: i?.end ?? 0 };
      const domains = new Set(
        config.accountAddresses(account).map((a) => parts(a)[1].toLowerCase()),
      );
      for (const recipient of recipients.slice(0, maxListed)) {
        const address = recipient.replace(/^mailto:/i, "").toLowerCase();
        const of = config.accountFor(address);
        const refused = (status: string) =>
          answers.push({ recipient, status, calendar: undefined });
        if (of === undefined) refused("3.7;Invalid calendar user");
        else if (of !== account && !domains.has(parts(address)[1])) refused("3.8;No authority");
        else if (!(range.end > range.start) || range.end - range.start > longestBusy) {
          refused("3.1;Invalid property value");
        } else {
          const busy = await withGroupware(of, (g) => accountBusy(g, range, mineOf(of)));
          const component = freeBusyComponent(range, joined(busy), now());
          const organizer = request.master && property(request.master, "ORGANIZER");
          const calendar = newCalendar([{
            ...component,
            properties: [
              newProperty("UID", request.uid),
              ...(organizer ? [organizer] : []),
              newProperty("ATTENDEE", `mailto:${address}`),
              ...component.properties,
            ],
          }], "REPLY");
          answers.push({ recipient, status: "2.0;Success", calendar: writeComponent(calendar) });
        }
      }
      return answers;
    },
  };
}
