/** Resources that must exist. @module */
import { davCondition, DavError, needPrivileges } from "./errors.ts";
import { addressOf, type Resource } from "./resources.ts";

/** @throws DavError 404 */
export function requireThere(resource: Resource): void {
  if (
    resource.kind === "nothing" || resource.kind === "noCollection" || resource.kind === "noObject"
  ) {
    throw new DavError(404, "there is nothing at this address");
  }
}

/** Refuses users without the rights. @throws DavError 403 */
export function requireRights(
  base: string,
  resource: Resource,
  privilege:
    | "write"
    | "bind"
    | "unbind"
    | "write-content"
    | "write-properties"
    | "write-acl"
    | "read-acl",
): void {
  const owns = "rights" in resource && resource.rights === "owner";
  const writes = "rights" in resource && resource.rights === "write" &&
    privilege !== "write-acl" && privilege !== "read-acl";
  if (!owns && !writes) throw needPrivileges(addressOf(base, resource), privilege);
}

/** The error for a method that this kind of resource doesn't support. */
export function notHere(allow: string): DavError {
  return new DavError(405, "this method is of no use here", undefined, { Allow: allow });
}

export const unsupportedReport = (name: string) =>
  new DavError(403, `there is no report ${name} here`, davCondition("supported-report"));
