/** The definition of a property known to the server. @module */
import type { Context, Resource } from "../core/resources.ts";
import type { DavServices } from "../services.ts";

export interface PropertyContext {
  s: DavServices;
  ctx: Context;
}

/** A live property (RFC 4918 §4.1). */
export interface LiveProperty {
  /** {namespace}name */
  name: string;
  /** Kinds of resources that have it. */
  on: readonly Resource["kind"][];
  /** Included when all properties are requested. */
  allprop?: boolean;
  /** The XML inside of the element; undefined if this resource doesn't have it. */
  value(
    context: PropertyContext,
    resource: Resource,
  ): string | undefined | Promise<string | undefined>;
}

export const everything: readonly Resource["kind"][] = [
  "root",
  "principals",
  "homes",
  "principal",
  "home",
  "collection",
  "object",
];
