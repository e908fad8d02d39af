/** Builds the page before the first test that opens it: files that run side by side would each begin to. */
import { buildSite } from '../../scripts/lib/site.ts';

export default buildSite;
