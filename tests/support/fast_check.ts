/**
 * fast-check, with the seed of {@link seedOf} for all properties of a run: so the suite tries the same input each
 * time, whoever runs it. Tests import it from here.
 */
import fc from "fast-check";
import { seedOf } from "./seed.ts";

fc.configureGlobal({ seed: seedOf("FC_SEED") });

export { fc };
