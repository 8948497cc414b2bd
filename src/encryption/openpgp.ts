/** OpenPGP.js, loaded when it is first needed. @module */
import { rareModule } from "../platform/rare_modules.ts";

type Library = typeof import("./openpgp_package.ts");

/** Loads it. */
export const openpgpLibrary: () => Promise<Library> = rareModule<Library>(
  new URL("./openpgp_package.ts", import.meta.url),
);
