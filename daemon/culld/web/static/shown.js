/** @file Which overlays are switched on. */

export const HEAT = /** @type {const} */ (["off", "map", "contour"]);
export const CLIPPING = /** @type {const} */ (["off", "over", "under", "both"]);

/** What is switched on, for all pictures. @type {{heat: "off" | "map" | "contour", clipping: "off" | "over" | "under" | "both", sharp: boolean}} */
export const shown = { heat: "off", clipping: "off", sharp: false };

/** @template {"heat" | "clipping"} K @param {K} name @param {readonly string[]} values */
export function turn(name, values) {
	shown[name] = /** @type {any} */ (values[(values.indexOf(shown[name]) + 1) % values.length]);
	dispatchEvent(new Event("culld-overlays"));
	return shown[name];
}
