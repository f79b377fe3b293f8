/** @file The regions with a defect: contours over a photo, and a legend. Loaded when first wanted. */

import { get } from "./api.js";
import { h, svg } from "./dom.js";
import { kept } from "./overlays.js";

/** @typedef {{text: string, colour: string, polygons: [number, number][][]}} Kind largest first */

/** Contours, legend, and both in a sentence. @param {import("./api.js").Info} info @returns {Promise<[Element[], Element, string]>} */
export async function regions(info) {
	const path = `photos/${info.id}/regions${info.copy ? "?copy=1" : ""}`;
	const { width, height, sentence, classes } = await kept(info, "regions", () => get(path));
	const kinds = /** @type {Kind[]} */ (classes);
	const text = `Regions: ${sentence}`;
	const lines = kinds.flatMap(({ colour, polygons }) => {
		const d = polygons.map((corners) => `M${corners.join(" ")}Z`).join("");
		return [svg("path", { d, class: "under-line" }), svg("path", { d, class: "region", stroke: colour })];
	});
	const size = { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none" };
	const layer = svg("svg", { class: "layer contour", ...size, role: "img", "aria-label": text }, ...lines);
	const legend = kinds.map(({ text, colour }) => {
		const square = svg("rect", { width: 1, height: 1, fill: colour });
		return h("span", null, svg("svg", { viewBox: "0 0 1 1", "aria-hidden": "true" }, square), text);
	});
	return [[layer], h("span", { class: "legend" }, ...(legend.length ? legend : [text])), text];
}
