/** The XML of addressbook-query: its filter, and the requested data (RFC 6352 §10). @module */
import type { TextMatch } from "../../mail/calendar/filter.ts";
import {
  type Component,
  maxSearched,
  type Property,
  searchedProperties,
  searchedText,
  writeComponent,
} from "../../mail/contentline/component.ts";
import { nextTurn, turnSpent } from "../../platform/turns.ts";
import { cardVersions } from "../../mail/vcard/card.ts";
import { cardCondition, DavError } from "../core/errors.ts";
import { attribute, child, children, countElements, type XmlElement } from "../xml/parse.ts";
import { CARD } from "../xml/write.ts";
import { textMatch } from "./collation.ts";

const invalid = (text: string) => new DavError(403, text, cardCondition("valid-filter"));
/** Most filters of an addressbook-query, nested or side by side. */
const maxFilters = 500;
/** Most elements of a filter. */
const maxElements = 1000;

/** The result of a filter; each step checks one property, as there may be hundreds in megabytes of text. */
type Steps = Generator<void, boolean>;
type CardFilter = (component: Component) => Steps;

/** Whether one, or each, of several tests succeeds. */
function* join<T>(
  how: "some" | "every",
  list: readonly T[],
  test: (x: T) => Steps,
): Steps {
  for (const x of list) {
    yield;
    if ((yield* test(x)) !== (how === "every")) return how === "some";
  }
  return how === "every";
}

const named = (e: XmlElement, name: string) =>
  children(e).filter((c) => c.ns === CARD && c.name === name).slice(0, maxFilters);

/** Whether one of them, or all of them, have to match; anyof by default. */
function joins(element: XmlElement): "some" | "every" {
  const test = attribute(element, "test") ?? "anyof";
  if (test !== "anyof" && test !== "allof") throw invalid(`test can't be ${test}`);
  return test === "allof" ? "every" : "some";
}

function nameOf(element: XmlElement): string {
  const name = attribute(element, "name");
  if (name === undefined || name === "") throw invalid(`${element.name} has no name`);
  return name;
}

const right = (t: TextMatch, value: string) => t.matches(value) !== t.negate;

function paramFilter(element: XmlElement): (property: Property) => Steps {
  const name = nameOf(element).toUpperCase();
  const notDefined = child(element, CARD, "is-not-defined") !== undefined;
  const match = child(element, CARD, "text-match");
  const text = match && textMatch(match, CARD, "i;unicode-casemap");
  return function* (property) {
    const found = property.params.filter((x) => x.name === name);
    if (notDefined) return found.length === 0;
    if (found.length === 0 || text === undefined) return found.length > 0;
    for (const v of found.flatMap((x) => x.values)) {
      yield;
      if (right(text, v.slice(0, maxSearched))) return true;
    }
    return false;
  };
}

function propFilter(element: XmlElement): CardFilter {
  const given = nameOf(element);
  const dot = given.indexOf(".");
  const group = dot < 0 ? undefined : given.slice(0, dot).toLowerCase();
  const name = given.slice(dot + 1).toUpperCase();
  const notDefined = child(element, CARD, "is-not-defined") !== undefined;
  const how = joins(element);
  const tests: ((property: Property) => Steps)[] = [
    ...named(element, "text-match").map((m) => {
      const text = textMatch(m, CARD, "i;unicode-casemap");
      // deno-lint-ignore require-yield -- a single step
      return function* (property: Property): Steps {
        return right(text, searchedText(property.value));
      };
    }),
    ...named(element, "param-filter").map(paramFilter),
  ];
  return function* (component) {
    const list = component.properties.filter((p) =>
      p.name === name && (group === undefined || p.group.toLowerCase() === group)
    );
    if (notDefined) return list.length === 0;
    if (list.length === 0) return false;
    if (tests.length === 0) return true;
    return yield* join("some", searchedProperties(list), (p) => join(how, tests, (t) => t(p)));
  };
}

/** The filter of an addressbook-query; a card is checked in turns with other work. @throws DavError */
export function cardFilter(query: XmlElement): (component: Component) => Promise<boolean> {
  const filter = child(query, CARD, "filter");
  if (filter === undefined) throw invalid("there is no filter");
  if (countElements(filter) > maxElements) throw invalid("the filter is too long");
  const how = joins(filter);
  const tests = named(filter, "prop-filter").map(propFilter);
  return async (component) => {
    if (tests.length === 0) return true;
    const steps = join(how, tests, (t) => t(component));
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      if (turnSpent()) await nextTurn();
    }
  };
}

/** The most results wanted; undefined for no limit. */
export function queryLimit(query: XmlElement): number | undefined {
  const limit = child(query, CARD, "limit");
  const n = limit && child(limit, CARD, "nresults");
  const text = n?.children.join("").trim();
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** The requested properties of a card; undefined for all. */
export interface CardDataRequest {
  props: { name: string; noValue: boolean }[] | undefined;
}

/** The data requested by an address-data element. @throws DavError 403 supported-address-data */
export function cardDataRequest(element: XmlElement): CardDataRequest {
  const type = attribute(element, "content-type") ?? "text/vcard";
  const version = attribute(element, "version");
  if (
    type.toLowerCase() !== "text/vcard" ||
    version !== undefined && !cardVersions.includes(version as "3.0")
  ) {
    throw new DavError(
      403,
      `cards are text/vcard ${cardVersions.join(" and ")}, not ${type} ${version ?? ""}`,
      cardCondition("supported-address-data"),
    );
  }
  const props = named(element, "prop");
  if (props.length === 0) return { props: undefined };
  return {
    props: props.map((p) => ({
      name: nameOf(p).toUpperCase(),
      noValue: attribute(p, "novalue") === "yes",
    })),
  };
}

/** A card with the requested properties. */
export function cardData(component: Component, request: CardDataRequest): string {
  if (request.props === undefined) return writeComponent(component);
  const properties = component.properties.flatMap((property) => {
    const asked = request.props!.find((x) =>
      x.name === property.name || x.name === `${property.group.toUpperCase()}.${property.name}`
    );
    if (asked === undefined) return [];
    return [asked.noValue ? { ...property, value: "", raw: undefined } : property];
  });
  return writeComponent({ ...component, properties });
}
