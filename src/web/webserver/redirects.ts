/** Where a WebRedirect leads. @module */
import type { LinearRegExp, StepBudget, WebRedirect } from "../../config/mod.ts";

/**
 * The address that a request is sent to; "same" if it is the one that was asked for, "unmatched" if the
 * path is none that the redirect is for.
 * @param budget below 0 afterwards if the path took too many steps: what is returned then means nothing
 */
export function redirectTarget(
  url: URL,
  redirect: WebRedirect,
  orig: LinearRegExp | undefined,
  budget: StepBudget,
): string | "same" | "unmatched" {
  let path = url.pathname;
  if (orig !== undefined) {
    if (orig.exec(path, 0, budget) === undefined) return "unmatched";
    path = orig.replace(path, redirect.ReplacePath, budget);
    if (budget.left < 0) return "unmatched";
    if (!path.startsWith("/")) path = `/${path}`;
    // Two slashes would make the next part a host.
    path = path.replace(/^\/{2,}/, "/");
  }
  const base = redirect.BaseURL === "" ? new URL(url.origin) : new URL(
    redirect.BaseURL.startsWith("//") ? `${url.protocol}${redirect.BaseURL}` : redirect.BaseURL,
  );
  const query = [base.search.slice(1), url.search.slice(1)].filter((q) => q !== "").join("&");
  const to = new URL(`${base.origin}${path}${query === "" ? "" : `?${query}`}${base.hash}`);
  return to.href === url.href ? "same" : to.href;
}
