/** All reports. @module */
import { addressbookQuery } from "./addressbook_query.ts";
import { calendarQuery } from "./calendar_query.ts";
import { expandProperty } from "./expand_property.ts";
import { freeBusyQuery } from "./free_busy_query.ts";
import { addressbookMultiget, calendarMultiget } from "./multiget.ts";
import {
  aclPrincipalPropSet,
  principalMatch,
  principalPropertySearch,
  principalSearchPropertySet,
} from "./principals.ts";
import { syncCollection } from "./sync_collection.ts";
import type { Report } from "./types.ts";

export const reports: ReadonlyMap<string, Report> = new Map(
  [
    addressbookMultiget,
    addressbookQuery,
    calendarMultiget,
    calendarQuery,
    expandProperty,
    freeBusyQuery,
    aclPrincipalPropSet,
    principalMatch,
    principalPropertySearch,
    principalSearchPropertySet,
    syncCollection,
  ].map((r) => [r.name, r]),
);
