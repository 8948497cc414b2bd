/** The texts of the webmail in other languages, packed into the program. @module */
import ar from "../../../webmail/languages/ar.json" with { type: "text" };
import de from "../../../webmail/languages/de.json" with { type: "text" };
import es from "../../../webmail/languages/es.json" with { type: "text" };
import fr from "../../../webmail/languages/fr.json" with { type: "text" };
import it from "../../../webmail/languages/it.json" with { type: "text" };
import ja from "../../../webmail/languages/ja.json" with { type: "text" };
import nl from "../../../webmail/languages/nl.json" with { type: "text" };
import pl from "../../../webmail/languages/pl.json" with { type: "text" };
import pt from "../../../webmail/languages/pt.json" with { type: "text" };
import uk from "../../../webmail/languages/uk.json" with { type: "text" };
import zh from "../../../webmail/languages/zh.json" with { type: "text" };

/** By the name of the language: JSON. */
export const catalogues: Readonly<Record<string, string>> = {
  ...{ ar, de, es, fr, it, ja, nl, pl, pt, uk, zh },
};
