/** Inputs of a report. @module */
import type { Resource } from "../core/resources.ts";
import type { PropertyContext } from "../properties/types.ts";
import type { XmlElement } from "../xml/parse.ts";

export interface ReportRequest {
  p: PropertyContext;
  r: Resource;
  body: XmlElement;
  depth: "0" | "1" | "infinity";
  /** Leave out properties that are missing (RFC 8144). */
  minimal: boolean;
}

export interface Report {
  /** {namespace}name */
  name: string;
  run(request: ReportRequest): Response | Promise<Response>;
}
