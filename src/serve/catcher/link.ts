/** Checking whether a link in a caught message works. @module */
import { STATUS_CODES } from "node:http";
import type { Outbound } from "../../net/outbound/http.ts";

/** Milliseconds for one link. */
const timeout = 10_000;

/** HEAD of a link; 0 with the reason where there was no answer. */
export async function checkLink(
  outbound: Outbound,
  url: string,
  follow: boolean,
): Promise<{ StatusCode: number; Status: string }> {
  try {
    const { status } = await outbound.request({
      url: new URL(url),
      method: "HEAD",
      rule: outbound.forUsers,
      headers: { "user-agent": "mox-localserve link check" },
      timeout,
      cutOff: true,
      redirects: follow ? 5 : 0,
    });
    return { StatusCode: status, Status: STATUS_CODES[status] ?? "" };
  } catch (err) {
    return { StatusCode: 0, Status: (err as Error).message };
  }
}
