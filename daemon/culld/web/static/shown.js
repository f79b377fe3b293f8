/** @file Which overlays are switched on. */

export const HEAT = /** @type {const} */ (["off", "map", "contour"]);
export const CLIPPING = /** @type {const} */ (["off", "over", "under", "both"]);

export const ON = /** @type {const} */ (["off", "on"]);

/** What is switched on, for all pictures. @type {{[name in "heat" | "clipping" | "sharp" | "regions"]: string}} */
export const shown = { heat: "off", clipping: "off", sharp: "off", regions: "off" };

/** @param {keyof typeof shown} name @param {readonly string[]} values */
export function turn(name, values) {
	shown[name] = values[(values.indexOf(shown[name]) + 1) % values.length];
	dispatchEvent(new CustomEvent("culld-overlays", { detail: name }));
	return shown[name];
}
