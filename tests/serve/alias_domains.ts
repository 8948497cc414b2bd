/** A configuration for tests of aliases. @module */

/** domains.conf with an alias all@ours.example, of accounts that each have one address. */
export function aliasDomains(members: readonly string[]): string {
  const account = (name: string) =>
    `	${name}:
		Domain: ours.example
		Destinations:
			${name}@ours.example: nil
`;
  return `Domains:
	ours.example:
		Aliases:
			all:
				PostPublic: true
				Addresses:
${members.map((m) => `\t\t\t\t\t- ${m}@ours.example\n`).join("")}Accounts:
${["ann", ...members].map(account).join("")}`;
}
