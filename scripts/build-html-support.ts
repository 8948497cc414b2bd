/**
 * Makes src/web/catcher/html_support.json of the data of caniemail.com (MIT licence), as the npm package "caniemail"
 * has it: what each mail program supports in its newest version, and the notes about that.
 *
 * Run it with the path of the package's data/caniemail.json.
 *
 * @module
 */
interface Feature {
  slug: string;
  title: string;
  description: string | null;
  url: string;
  category: string;
  tags: string[];
  keywords: string | null;
  stats: Record<string, Record<string, Record<string, string>>>;
  notes_by_num: Record<string, string> | null;
}

if (import.meta.main) {
  const [source] = Deno.args;
  const data = JSON.parse(await Deno.readTextFile(source));
  const nice = data.nicenames;
  const programs: string[] = [];
  const features = (data.data as Feature[]).map((feature) => {
    const support: Record<string, [string, string]> = {};
    for (const [family, platforms] of Object.entries(feature.stats)) {
      for (const [platform, versions] of Object.entries(platforms)) {
        const [version, answer] = Object.entries(versions).at(-1) ?? ["", "u"];
        if (answer.startsWith("u")) continue;
        const key = `${family} ${platform}`;
        if (!programs.includes(key)) programs.push(key);
        support[programs.indexOf(key)] = [version, answer];
      }
    }
    return {
      slug: feature.slug,
      title: feature.title,
      description: feature.description ?? "",
      url: feature.url,
      category: feature.category,
      tags: feature.tags ?? [],
      keywords: feature.keywords ?? "",
      support,
      notes: feature.notes_by_num ?? {},
    };
  });
  const made = {
    source: "caniemail.com, MIT licence",
    updated: data.last_update_date,
    programs: programs.map((p) => {
      const [family, platform] = p.split(" ");
      return {
        family: nice.family[family] ?? family,
        platform,
        platformName: nice.platform[platform] ?? platform,
      };
    }),
    features,
  };
  await Deno.writeTextFile(
    new URL("../src/web/catcher/html_support.json", import.meta.url),
    `${JSON.stringify(made)}\n`,
  );
}
