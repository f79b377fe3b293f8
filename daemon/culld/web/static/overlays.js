/** @file What is drawn over a photo: the heat map of a defect, clipped parts, the sharpest regions. Nothing blinks. */

import { heat } from "./api.js";
import { fill, h, svg, tell } from "./dom.js";
import { shown } from "./shown.js";
import { DEFECT_WORDS, probability } from "./words.js";

/** @typedef {import("./api.js").Info} Info */

/** The logit from which on a map is shown at its full strength: a probability of 0.98. */
const FULL_LOGIT = 4;
const HEAT_RGB = [213, 94, 0];
const SHARP_RGB = [0, 200, 150];
const LEVEL = 0.75;
const SHARP_SHARE = 0.75;
const SHARP_LEAST = 0.3;
const MOST_KNOWN = 60;

/** @typedef {{grey: Uint8ClampedArray, w: number, h: number, logit: number, probability: number}} Map2 */

/** Maps by photo and head, the latest last. @type {Map<string, Promise<any>>} */
const known = new Map();

/** The map of a head of a photo as RGBA bytes. @param {Info} info @param {string} head @returns {Promise<Map2>} */
export function mapOf(info, head) {
	return kept(info, head, () => read(info, head));
}

/** What is known of a photo by this name, else what is made. @template T @param {Info} info @param {string} name @param {() => Promise<T>} make @returns {Promise<T>} */
export function kept({ id, copy }, name, make) {
	const key = `${id} ${copy} ${name}`;
	const made = known.get(key) ?? make();
	known.delete(key);
	known.set(key, made);
	made.catch(() => known.delete(key));
	if (known.size > MOST_KNOWN) known.delete(/** @type {string} */ (known.keys().next().value));
	return made;
}

/** @param {Info} info @param {string} head */
async function read(info, head) {
	const { picture, logit, probability: p } = await heat(info, head);
	const { width: w, height: high } = picture;
	const pen = penOf(new OffscreenCanvas(w, high));
	pen.drawImage(picture, 0, 0);
	return { grey: pen.getImageData(0, 0, w, high).data, w, h: high, logit, probability: p };
}

/** @param {HTMLCanvasElement | OffscreenCanvas} canvas */
function penOf(canvas) {
	return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/** Fill a canvas of the size of a map cell by cell. @template {HTMLCanvasElement | OffscreenCanvas} C @param {C} canvas @param {number[]} rgb @param {(at: number) => number} opacity of the cell whose bytes begin there, 0..255 */
function painted(canvas, rgb, opacity) {
	const pen = penOf(canvas);
	const image = pen.createImageData(canvas.width, canvas.height);
	for (let at = 0; at < image.data.length; at += 4) image.data.set([...rgb, opacity(at)], at);
	pen.putImageData(image, 0, 0);
	return canvas;
}

/** The middle of the strongest cell of a map, in fractions of the photo. @param {Map2} map */
export function strongest({ grey, w, h: high }) {
	let best = 0;
	for (let cell = 0; cell < w * high; cell++) if (grey[4 * cell] > grey[4 * best]) best = cell;
	return { x: ((best % w) + 0.5) / w, y: (Math.floor(best / w) + 0.5) / high };
}

/** How strongly a map is shown, 0..1: a defect that is not there is never shown as if it were. @param {Map2} map */
function strength({ logit }) {
	return Math.min(1, Math.max(0, (logit + 1) / (FULL_LOGIT + 1)));
}

/** A map by its shape, whatever its largest value is; its strength comes from the logit. @param {Map2} map @param {string} head @returns {[Element[], string]} */
function heated(map, head) {
	const most = map.grey.reduce((a, b, at) => (at % 4 || b < a ? a : b), 0) / 255 || 1;
	const layer =
		shown.heat === "map" ? tinted(map, HEAT_RGB, (v) => (v / most) * strength(map)) : contour(map, LEVEL * most);
	return [[layer], heatText(head, map)];
}

/** The overlays of one picture. */
export class Overlays {
	/** @param {HTMLElement} sheet */
	constructor(sheet) {
		this.sheet = sheet;
		this.label = h("p", { class: "overlay-label" });
		/** @type {Info | null} */
		this.info = null;
		this.defect = "blur";
		addEventListener("culld-overlays", (event) => {
			const { detail } = /** @type {CustomEvent} */ (event);
			if (this.info && this.sheet.isConnected) void this.show(this.info, detail === "regions");
		});
	}

	/** @param {Info} info @param {boolean} [told] whether readers of the screen are told the regions */
	async show(info, told) {
		this.info = info;
		const layers = /** @type {Element[]} */ ([]);
		const texts = /** @type {(string | Element)[]} */ (info.copy ? [`Repaired copy: ${info.name}`] : []);
		fill(this.label, ...texts);
		const add = async (
			/** @type {string} */ now,
			/** @type {string} */ name,
			/** @type {() => Promise<[Element[], string | Element, string?]>} */ make,
		) => {
			if (now === "off") return;
			let said;
			try {
				const [made, text, words] = await make();
				layers.push(...made);
				texts.push(text);
				said = words;
			} catch (error) {
				texts.push((said = `${name}: ${/** @type {Error} */ (error).message}`));
			}
			if (told && said && this.info === info) tell(`${info.name}: ${said}`);
		};
		await Promise.all([
			add(shown.heat, "Heat map", async () => heated(await mapOf(info, this.defect), this.defect)),
			add(shown.clipping, "Clipping", async () => clipped(await mapOf(info, "clipping"))),
			add(shown.sharp, "Sharpest regions", async () => sharpest(await mapOf(info, "sharpness"))),
			add(shown.regions, "Regions", async () => (await import("./regions.js")).regions(info)),
		]);
		if (this.info !== info) return;
		this.sheet.querySelectorAll(".layer").forEach((old) => old.remove());
		this.sheet.append(...layers);
		fill(this.label, ...texts.flatMap((text, at) => (at ? [" · ", text] : [text])));
	}
}

/** @param {string} head @param {Map2} map */
function heatText(head, { logit, probability: p }) {
	return `Heat map, ${DEFECT_WORDS[/** @type {"blur"} */ (head)]} ${probability(p)} (logit ${logit.toFixed(1)})`;
}

/** One hue whose opacity is the value. @param {Map2} map @param {number[]} rgb @param {(value: number) => number} opacity */
function tinted({ grey, w, h: high }, rgb, opacity) {
	const canvas = h("canvas", { class: "layer", width: w, height: high });
	return painted(canvas, rgb, (at) => 165 * opacity(grey[at] / 255));
}

/** The line around the cells above a level, white on black. @param {Map2} map @param {number} level */
function contour({ grey, w, h: high }, level) {
	const value = (/** @type {number} */ x, /** @type {number} */ y) =>
		x < 0 || y < 0 || x >= w || y >= high ? 0 : grey[4 * (y * w + x)] / 255;
	const part = (/** @type {number} */ a, /** @type {number} */ b) => (level - a) / (b - a || 1);
	let path = "";
	for (let y = -1; y < high; y++) {
		for (let x = -1; x < w; x++) {
			const [a, b, c, d] = [value(x, y), value(x + 1, y), value(x + 1, y + 1), value(x, y + 1)];
			const points = [];
			if (a < level !== b < level) points.push([x + part(a, b), y]);
			if (b < level !== c < level) points.push([x + 1, y + part(b, c)]);
			if (c < level !== d < level) points.push([x + 1 - part(c, d), y + 1]);
			if (d < level !== a < level) points.push([x, y + 1 - part(d, a)]);
			for (let at = 0; at + 1 < points.length; at += 2)
				path += `M${points[at].map(edge).join(" ")}L${points[at + 1].map(edge).join(" ")}`;
		}
	}
	const line = (/** @type {string} */ name) => svg("path", { d: path, class: name });
	return svg(
		"svg",
		{ class: "layer contour", viewBox: `0 0 ${w} ${high}`, preserveAspectRatio: "none" },
		line("under-line"),
		line("line"),
	);
}

/** @param {number} at between the middles of cells */
function edge(at) {
	return (at + 0.5).toFixed(2);
}

/** The sharpest quarter of the tiles that have edges. @param {Map2} map @returns {[Element[], string]} */
function sharpest(map) {
	const values = Array.from({ length: map.w * map.h }, (_, cell) => map.grey[4 * cell] / 255)
		.filter((value) => value > 0)
		.sort();
	const level = Math.max(SHARP_LEAST, values[Math.floor(values.length * SHARP_SHARE)] ?? 1) - 0.001;
	const some = values.length > 0 && values[values.length - 1] > level;
	return [
		[tinted(map, SHARP_RGB, (v) => (v > level ? 0.4 : 0)), contour(map, level)],
		some ? "Sharpest regions" : "No sharp region",
	];
}

/** Hatching over clipped cells: over rises, under falls. @param {Map2} map @returns {[Element[], string]} */
function clipped({ grey, w, h: high }) {
	const sides = /** @type {const} */ (["over", "under"]).filter(
		(side) => shown.clipping === side || shown.clipping === "both",
	);
	const layers = [];
	const texts = [];
	for (const side of sides) {
		let count = 0;
		const mask = painted(new OffscreenCanvas(w, high), [0, 0, 0], (at) => {
			const is = isClipped(grey, at, side);
			count += Number(is);
			return is ? 255 : 0;
		});
		const hatch = h("div", { class: `layer hatch ${side}` });
		void mask.convertToBlob().then((blob) => {
			const url = URL.createObjectURL(blob);
			hatch.style.maskImage = `url(${url})`;
			setTimeout(() => URL.revokeObjectURL(url), 10_000);
		});
		layers.push(hatch);
		texts.push(`${side} ${((100 * count) / (w * high)).toFixed(1)} %`);
	}
	return [layers, `Clipping: ${texts.join(", ")}`];
}

/** The server draws what is too dark in the sky blue of Okabe and Ito, and what is too light in the channels that are full. @param {Uint8ClampedArray} rgba @param {number} at @param {"over" | "under"} side */
function isClipped(rgba, at, side) {
	const dark = rgba[at] === 86 && rgba[at + 1] === 180 && rgba[at + 2] === 233;
	return rgba[at + 3] > 0 && dark === (side === "under");
}
