/** REPORT (RFC 3253 §3.6): queries with their own format. @module */
import { DavError } from "../core/errors.ts";
import { depthOf, type Method, prefers, xmlBody } from "../request/request.ts";
import { requireThere, unsupportedReport } from "../core/there.ts";
import { reportsOf } from "../properties/common.ts";
import { reports } from "../reports/table.ts";
import { clark } from "../xml/parse.ts";
import { CAL, CARD } from "../xml/write.ts";

export const report: Method = {
  name: "REPORT",
  async run(request) {
    requireThere(request.r);
    const body = await xmlBody(request);
    if (body === undefined) throw new DavError(400, "a report has a body");
    const name = clark(body);
    const found = reports.get(name);
    // Homes may also be queried: for the contents of their collections.
    const ofHome = request.r.kind === "home" &&
      (name.startsWith(`{${CAL}}`) || name.startsWith(`{${CARD}}`));
    if (found === undefined || !ofHome && !reportsOf(request.r).includes(name)) {
      throw unsupportedReport(name);
    }
    return await found.run({
      p: request.p,
      r: request.r,
      body,
      depth: depthOf(request, "0"),
      minimal: prefers(request, "minimal"),
    });
  },
};
