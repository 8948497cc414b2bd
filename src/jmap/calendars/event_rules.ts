/** Rules for events that clients write, beyond the form of JSCalendar (jmap-calendars §5.1, §5.2, §5.8). @module */
import type { JsonObject } from "../../mail/jscalendar/from_ical.ts";
import { invalidProperties, SetError } from "../core/errors.ts";
import type { MethodContext } from "../core/method.ts";
import { sameJson } from "../core/patch.ts";
import type { View } from "../groupware/collections.ts";
import { openBlob } from "../mail/blob.ts";

/** Most bytes of an attachment that is given as a blob: it becomes part of the event. */
const maxAttachment = 5 * 1024 * 1024;

const isObject = (x: unknown): x is JsonObject =>
  typeof x === "object" && x !== null && !Array.isArray(x);
const obj = (x: unknown): JsonObject => isObject(x) ? x : {};
const topOf = (pointer: string) => pointer.split("/", 1)[0];

/** Properties that an override can't have. */
const ofWholeEvent = new Set([
  "isDraft",
  "mayInviteSelf",
  "mayInviteOthers",
  "hideAttendees",
  "utcStart",
  "utcEnd",
  "method",
  "calendarIds",
  "id",
  "baseEventId",
]);

/** @throws SetError invalidProperties for overrides with properties of whole events */
export function checkOverrides(event: JsonObject): void {
  for (const [at, patch] of Object.entries(obj(event.recurrenceOverrides))) {
    const name = Object.keys(obj(patch)).map(topOf).find((k) => ofWholeEvent.has(k));
    if (name !== undefined) {
      throw invalidProperties(["recurrenceOverrides"], `${at}: one date can't have ${name}`);
    }
  }
}

/** Properties of each user's own (§5.5): no news for others. */
const perUser = new Set(["keywords", "color", "freeBusyStatus", "useDefaultAlerts", "alerts"]);

function forOthers(event: JsonObject): JsonObject {
  const { updated: _updated, sequence: _sequence, recurrenceOverrides, ...rest } = event;
  const kept = (o: JsonObject) =>
    Object.fromEntries(Object.entries(o).filter(([k]) => !perUser.has(topOf(k))));
  const overrides = Object.entries(obj(recurrenceOverrides))
    .map(([at, patch]) => [at, kept(obj(patch))] as const)
    .filter(([at, patch]) =>
      Object.keys(patch).length > 0 || Object.keys(obj(obj(recurrenceOverrides)[at])).length === 0
    );
  return { ...kept(rest), recurrenceOverrides: Object.fromEntries(overrides) };
}

/** Whether an event has changed for its participants: then its sequence rises (§5.8). */
export function changesForOthers(before: JsonObject, after: JsonObject): boolean {
  return !sameJson(forOthers(before), forOthers(after));
}

/** The mail address of a participant, or of the organizer by `replyTo`. */
function mailOf(to: unknown, email?: unknown): string | undefined {
  const uri = obj(to).imip;
  if (typeof uri === "string" && /^mailto:./i.test(uri)) return uri.slice("mailto:".length);
  return uri === undefined && typeof email === "string" && email !== "" ? email : undefined;
}

/**
 * Checks that all can be told of whom a message is to go to: participants, or the organizer of an invitation.
 * @param isMine whether a URI is the user's, to whom nothing is sent
 * @throws SetError noSupportedScheduleMethods
 */
export function checkReachable(event: JsonObject, isMine: (uri: unknown) => boolean): void {
  const people = Object.values(obj(event.participants)).map(obj);
  if (people.length === 0) return;
  const organizer = obj(event.replyTo).imip;
  const unreachable = organizer === undefined || isMine(organizer)
    ? people.some((p) =>
      !isMine(obj(p.sendTo).imip) && (p.scheduleAgent ?? "server") === "server" &&
      mailOf(p.sendTo, p.email) === undefined
    )
    : mailOf(event.replyTo) === undefined;
  if (unreachable) {
    throw new SetError(
      "noSupportedScheduleMethods",
      "not all participants have a mail address: set sendSchedulingMessages to false, or leave them out",
    );
  }
}

/**
 * The event with attachments in place of the blobs that a client names (§5.2).
 * @throws SetError blobNotFound, tooLarge
 */
export async function withAttachments(
  ctx: MethodContext,
  view: View,
  event: JsonObject,
): Promise<JsonObject> {
  const links = Object.entries(obj(event.links));
  if (!links.some(([, l]) => typeof obj(l).blobId === "string")) return event;
  const filled: JsonObject = {};
  for (const [id, link] of links) {
    const { blobId, ...rest } = obj(link);
    if (typeof blobId !== "string" || rest.href !== undefined) {
      filled[id] = link;
      continue;
    }
    const blob = await openBlob(ctx.s, view.access, blobId);
    if (blob === undefined) {
      throw new SetError("blobNotFound", "there is no such blob", { notFound: [blobId] });
    }
    try {
      if (blob.size > maxAttachment) {
        throw new SetError("tooLarge", `an attachment has at most ${maxAttachment} bytes`);
      }
      const type = /^[\w.+-]+\/[\w.+-]+$/.exec(String(rest.contentType))?.[0] ??
        "application/octet-stream";
      const href = `data:${type};base64,${blob.read(0, blob.size).toBase64()}`;
      filled[id] = { ...rest, href };
    } finally {
      blob.close();
    }
  }
  return { ...event, links: filled };
}

/** The participants that somebody sees who may not see all of them (§5.6), in overrides too. */
export function withFewPeople(event: JsonObject, isMine: (uri: unknown) => boolean): JsonObject {
  const isShown = (p: unknown) => {
    const { roles, sendTo, email } = obj(p);
    return obj(roles).owner === true || isMine(obj(sendTo).imip ?? `mailto:${email}`);
  };
  const shown = (people: unknown): JsonObject =>
    Object.fromEntries(Object.entries(obj(people)).filter(([, p]) => isShown(p)));
  const few: JsonObject = { ...event };
  if (event.participants !== undefined) few.participants = shown(event.participants);
  const ids = new Set(Object.keys(obj(few.participants)));
  const overrides = Object.entries(obj(event.recurrenceOverrides)).map(([at, patch]) => [
    at,
    Object.fromEntries(
      Object.entries(obj(patch)).flatMap(([pointer, value]) => {
        if (pointer === "participants") return [[pointer, shown(value)]];
        if (topOf(pointer) !== "participants") return [[pointer, value]];
        const isWhole = pointer.split("/").length === 2 && value !== null;
        return (isWhole ? isShown(value) : ids.has(pointer.split("/")[1]))
          ? [[pointer, value]]
          : [];
      }),
    ),
  ]);
  if (event.recurrenceOverrides !== undefined) {
    few.recurrenceOverrides = Object.fromEntries(overrides);
  }
  return few;
}
