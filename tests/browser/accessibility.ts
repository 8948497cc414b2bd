/** What axe finds on a page. */
import axe from "axe-core";
import type { Page } from "playwright-core";

interface Violation {
  id: string;
  impact: string;
  help: string;
  nodes: { html: string }[];
}

/** Serious and critical violations in the page as it stands, in words. */
export async function violations(p: Page, rules?: string[]): Promise<string[]> {
  // By the debugger, so that the page's policy doesn't forbid it.
  await p.evaluate(axe.source);
  const options = JSON.stringify({ resultTypes: ["violations"], runOnly: rules });
  const { violations } = await p.evaluate<{ violations: Violation[] }>(
    `axe.run(document, ${options})`,
  );
  return violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) =>
    `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200)).join(" | ")}`
  );
}
