/** OPTIONS (RFC 9110 §9.3.7). @module */
import { allowed, davHeader } from "../core/allow.ts";
import type { Method } from "../request/request.ts";

export const options: Method = {
  name: "OPTIONS",
  run: (request) =>
    new Response(null, {
      status: 200,
      headers: { "DAV": davHeader, "Allow": allowed(request.r), "Content-Length": "0" },
    }),
};
