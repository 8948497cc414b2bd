/** The data of objects in answers: calendar-data and address-data. @module */
import { storedSeriesInTurns } from "../../groupware/objects.ts";
import { parseInTurns } from "../../mail/contentline/component.ts";
import { asStored, type CalendarDataRequest, calendarPieces } from "../../mail/calendar/output.ts";
import type { Zone } from "../../mail/calendar/zones.ts";
import { giveWay } from "../../platform/turns.ts";
import type { ObjectResource, Resource } from "../core/resources.ts";
import type { DataProperty, PropRequest } from "../properties/read.ts";
import { calendarDataRequest } from "../query/calendar_filter.ts";
import { cardData, type CardDataRequest, cardDataRequest } from "../query/card_filter.ts";
import { CAL, CARD, el, escapeXml } from "../xml/write.ts";

const decoder = new TextDecoder();

/** An object's stored text. */
export function storedText(resource: ObjectResource): string {
  return decoder.decode(resource.g.content(resource.object.id) ?? new Uint8Array(0));
}

async function calendarText(
  resource: ObjectResource,
  request: CalendarDataRequest,
  zone: Zone | undefined,
): Promise<string> {
  if (asStored(request)) return storedText(resource);
  try {
    let text = "";
    const series = await storedSeriesInTurns(resource.g, resource.object, zone);
    for (const piece of calendarPieces(series, request)) {
      text += piece;
      await giveWay();
    }
    return text;
  } catch {
    // Objects stored by an earlier, less strict version are sent unchanged.
    return storedText(resource);
  }
}

/**
 * The requests for data among the requested properties; undefined if there are none. @throws DavError for those
 * that can't be met
 */
export function dataProperties(
  request: PropRequest,
  zone: (resource: ObjectResource) => Zone | undefined,
): DataProperty | undefined {
  const wanted = request.kind === "prop"
    ? request.names
    : request.kind === "allprop"
    ? request.include
    : [];
  let calendar: CalendarDataRequest | undefined;
  let card: CardDataRequest | undefined;
  for (const w of wanted) {
    if (w.key === `{${CAL}}calendar-data`) calendar = calendarDataRequest(w.element);
    if (w.key === `{${CARD}}address-data`) card = cardDataRequest(w.element);
  }
  if (calendar === undefined && card === undefined) return undefined;
  return async (wanted, resource: Resource) => {
    await giveWay();
    if (resource.kind !== "object") return undefined;
    if (
      calendar !== undefined && resource.home === "calendars" &&
      wanted.key === `{${CAL}}calendar-data`
    ) {
      return el(
        CAL,
        "calendar-data",
        escapeXml(await calendarText(resource, calendar, zone(resource))),
      );
    }
    if (
      card !== undefined && resource.home === "addressbooks" &&
      wanted.key === `{${CARD}}address-data`
    ) {
      const text = card.props === undefined
        ? storedText(resource)
        : cardData((await parseInTurns(storedText(resource)))[0], card);
      return el(CARD, "address-data", escapeXml(text));
    }
    return undefined;
  };
}
