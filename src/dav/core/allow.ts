/** Methods of resources, for the Allow header. @module */
import type { Resource } from "./resources.ts";

/** The server's capabilities (RFC 4918 §18, RFC 4791 §5.1, RFC 6352 §6.1, RFC 6638 §2, RFC 5689). */
export const davHeader = "1, 3, access-control, extended-mkcol, calendar-access, " +
  "calendar-auto-schedule, calendar-no-timezone, addressbook";

/** Methods of a resource. */
export function allowed(resource: Resource): string {
  const read = ["OPTIONS", "PROPFIND", "REPORT"];
  switch (resource.kind) {
    case "object":
      return [...read, "GET", "HEAD", "PUT", "DELETE", "PROPPATCH", "COPY", "MOVE"].join(", ");
    case "collection":
      if (resource.collection.kind === "inbox") return [...read, "PROPPATCH"].join(", ");
      if (resource.collection.kind === "outbox") return [...read, "POST", "PROPPATCH"].join(", ");
      return [...read, "GET", "HEAD", "POST", "DELETE", "PROPPATCH", "COPY", "MOVE", "ACL"]
        .join(", ");
    case "noObject":
      return ["OPTIONS", "PUT"].join(", ");
    case "noCollection":
      return ["OPTIONS", "MKCOL", ...(resource.home === "calendars" ? ["MKCALENDAR"] : [])].join(
        ", ",
      );
    case "nothing":
      return "OPTIONS";
    default:
      return [...read, "GET", "HEAD", "PROPPATCH"].join(", ");
  }
}
