/** @file One photo on the screen: preview, then original under the same transform, zoomed to a place, with overlays. */

import { address, crop } from "./api.js";
import { h, tell } from "./dom.js";
import { Overlays } from "./overlays.js";

/** @typedef {import("./api.js").Info} Info */

/**
 * What is looked at: `zoom` 0 is the whole photo, else screen pixels per pixel of the photo; `x` and `y` are the middle, in
 * fractions of the photo. Several pictures may share one place.
 * @typedef {{zoom: number, x: number, y: number}} Place
 */

const MOST_DECODED = 12;
const MOST_PIXELS = 64e6;
const SMALL_PREVIEW = 2048;
const SWIPE_PX = 50;
const CROP_AFTER_MS = 140;
/** An original that is not there by then is late: the part in view is shown until it comes. */
const LATE_MS = 3000;
const AGAIN_MS = 1000;
/** The largest part in each direction, in pixels of the photo, that the server cuts out. */
const MOST_CUT = 4096;
/** So many of the six connections of a browser are for previews that nobody waits for. */
const MOST_AHEAD = 2;
const STEPS = [0, 0.125, 0.25, 0.5, 1, 2, 4, 8];

/** Previews that are decoded, the latest last. @type {Map<string, {image: HTMLImageElement, ready: Promise<void>}>} */
const decoded = new Map();

/** The size of previews that fits the screen. */
function previewSize() {
	return Math.max(screen.width, screen.height) * devicePixelRatio > 2600 ? 3072 : undefined;
}

/** @param {Info} info */
function previewOf(info) {
	return address(info, "preview", previewSize());
}

/** Decode a preview, or return the decoded one. @param {string} url @param {"high" | "low"} priority */
function decode(url, priority) {
	let entry = decoded.get(url);
	decoded.delete(url);
	if (!entry) {
		const image = Object.assign(new Image(), { fetchPriority: priority, decoding: "async", src: url });
		const made = { image, ready: image.decode() };
		made.ready.catch(() => decoded.get(url) === made && decoded.delete(url));
		entry = made;
	}
	decoded.set(url, entry);
	for (const [old, { image: gone }] of decoded) {
		if (decoded.size <= MOST_DECODED) break;
		decoded.delete(old);
		if (!gone.isConnected) gone.src = "";
	}
	return entry;
}

/** Whether a promise was held. @param {Promise<void>} promise */
function held(promise) {
	return promise.then(
		() => true,
		() => false,
	);
}

/** Whether the preview of a photo that is wanted now can be shown. @param {Info} info */
export function ready(info) {
	return held(decode(previewOf(info), "high").ready);
}

/** The previews that may be wanted next, and those of them that are on their way. @type {string[]} */
let ahead = [];
/** @type {Map<string, HTMLImageElement>} */
const coming = new Map();
let paused = false;

/** Decode the previews of photos that may come next, in this order. @param {Info[]} infos */
export function prefetch(infos) {
	ahead = infos.map(previewOf);
	fetchAhead();
}

function fetchAhead() {
	while (!paused && coming.size < MOST_AHEAD) {
		const url = ahead.shift();
		if (!url) return;
		if (decoded.has(url)) continue;
		const { image, ready } = decode(url, "low");
		coming.set(url, image);
		const next = () => coming.get(url) === image && coming.delete(url) && fetchAhead();
		ready.then(next, next);
	}
}

/** Give up the previews of photos that are not in view: the one in view gets the connections. */
function pause() {
	paused = true;
	ahead = [...coming.keys(), ...ahead];
	for (const [url, image] of coming) {
		decoded.delete(url);
		image.src = "";
	}
	coming.clear();
}

function goOn() {
	paused = false;
	fetchAhead();
}

/** A pane with one photo. Sends `culld-place` (bubbles) when a person zooms or pans. */
export class Picture {
	/** @param {Place} place */
	constructor(place) {
		this.place = place;
		this.shift = { x: 0, y: 0 };
		/** @type {Info | null} */
		this.info = null;
		this.size = { w: 1, h: 1 };
		this.scale = 1;
		/** The pointer over the pane, in pixels of it. @type {{x: number, y: number} | null} */
		this.pointer = null;
		this.photos = h("div", { class: "photos" });
		this.sheet = h("div", { class: "sheet" }, this.photos);
		this.overlays = new Overlays(this.sheet);
		this.trouble = h("p", { class: "overlay-label trouble" });
		this.el = h("div", { class: "pane" }, this.sheet, this.overlays.label, this.trouble);
		this.timer = 0;
		this.frame = 0;
		new ResizeObserver(([{ contentRect }]) => {
			this.size = { w: contentRect.width, h: contentRect.height };
			this.draw();
		}).observe(this.el);
		this.hear();
	}

	/** @param {Info} info */
	show(info) {
		if (this.info?.id === info.id && this.info.digest === info.digest) return;
		this.end(info);
		this.info = info;
		const url = previewOf(info);
		coming.delete(url);
		const { image, ready } = decode(url, "high");
		image.alt = this.alt(info);
		const blank = h("img", { alt: this.alt(info) });
		const place = () => {
			if (this.info !== info) return;
			if (!info.width) Object.assign(info, { width: image.naturalWidth, height: image.naturalHeight });
			this.measure(info);
			blank.replaceWith(image);
			this.draw();
		};
		this.measure(info);
		this.photos.replaceChildren(blank);
		if (image.complete && image.naturalWidth) place();
		else {
			blank.src = address(info, "thumb");
			ready.then(place, () => blank.classList.add("missing"));
		}
		this.overlays.show(info);
		this.draw();
	}

	/** @param {Info} info */
	measure({ width, height }) {
		this.sheet.style.width = `${width ?? 1}px`;
		this.sheet.style.height = `${height ?? 1}px`;
	}

	/** @param {Info} info */
	alt({ name, state, reason, copy }) {
		return `${name}: ${copy ? "repaired copy" : `${state}, ${reason}`}`;
	}

	get fit() {
		const { width = 1, height = 1 } = this.info ?? {};
		return Math.min(this.size.w / width, this.size.h / height);
	}

	get zoomed() {
		return this.place.zoom > 0;
	}

	/** Put the sheet where the place is: no layout is read here. */
	draw() {
		cancelAnimationFrame(this.frame);
		this.frame = requestAnimationFrame(() => {
			if (!this.info?.width) return;
			const { width, height } = this.info;
			const s = this.zoomed ? this.place.zoom / devicePixelRatio : this.fit;
			const x = middle(this.size.w, width * s, this.place.x + this.shift.x, this.zoomed);
			const y = middle(this.size.h, height * s, this.place.y + this.shift.y, this.zoomed);
			this.scale = s;
			this.left = x;
			this.top = y;
			this.sheet.style.transform = `translate(${x}px,${y}px) scale(${s})`;
			this.sheet.style.setProperty("--one", String(1 / s));
			this.el.classList.toggle("zoomed", this.zoomed);
			this.el.classList.toggle("pixels", s * devicePixelRatio > 2);
			this.sharpen();
		});
	}

	left = 0;
	top = 0;

	/** The original that is on its way or shown. @type {HTMLImageElement | null} */
	original = null;
	/** The part that is on its way or shown. @type {HTMLImageElement | null} */
	cut = null;
	asked = 0;
	noOriginal = "";

	/** The originals that were shown of this photo and its copy, by address. @type {Map<string, HTMLImageElement>} */
	shown = new Map();

	/** Give up what is on its way; free the originals unless the same photo or its copy follows. @param {Info} [next] */
	end(next) {
		clearTimeout(this.timer);
		this.uncut();
		const gone = next && next.id === this.info?.id ? [] : [...this.shown.values()];
		if (gone.length || !next) this.shown.clear();
		if (this.original && !this.original.isConnected) gone.push(this.original);
		for (const image of gone) image.src = "";
		this.original = null;
		goOn();
	}

	/** Fetch the original where the preview has too few pixels; while there is none, the part in view. */
	sharpen() {
		const { info } = this;
		const [preview] = this.photos.children;
		clearTimeout(this.timer);
		if (!info || !(preview instanceof HTMLImageElement) || this.original?.isConnected) return;
		const wanted = this.scale * devicePixelRatio * Math.max(info.width, info.height);
		const has = Math.min(previewSize() ?? SMALL_PREVIEW, Math.max(info.width, info.height));
		if (wanted <= has * 1.02) return;
		const url = address(info, "original");
		const none = info.width * info.height > MOST_PIXELS || this.noOriginal === url;
		if (!none && !this.original) this.fetch(url);
		if (this.original?.isConnected) return;
		const left = none ? 0 : this.asked + LATE_MS - performance.now();
		this.timer = setTimeout(() => this.part(info), Math.max(CROP_AFTER_MS, left));
	}

	/** Fetch the original, and show it after it is decoded. @param {string} url */
	async fetch(url) {
		const known = this.shown.get(url);
		if (known) return this.photos.append((this.original = known));
		if (this.zoomed) pause();
		this.asked = performance.now();
		const original = h("img", { class: "original", fetchpriority: "high", src: url, alt: "" });
		this.original = original;
		const made = await held(original.decode());
		if (this.original !== original) return;
		goOn();
		if (made) {
			clearTimeout(this.timer);
			this.uncut();
			this.photos.append(original);
			this.shown.set(url, original);
		} else {
			this.original = null;
			this.noOriginal = url;
			this.sharpen();
		}
	}

	/** Remove the part, and what is said of it. */
	uncut() {
		if (this.cut) this.cut.src = "";
		this.cut = null;
		this.photos.querySelector(".part")?.remove();
		this.trouble.textContent = "";
	}

	/** Show the part in view, cut by the server from the original. @param {Info} info @param {boolean} [again] whether it is tried again */
	async part(info, again = true) {
		const x = Math.max(0, Math.floor(-this.left / this.scale));
		const y = Math.max(0, Math.floor(-this.top / this.scale));
		const w = Math.min(info.width - x, Math.ceil(this.size.w / this.scale));
		const high = Math.min(info.height - y, Math.ceil(this.size.h / this.scale));
		const src = crop(info, [x, y, w, high]);
		if (w < 1 || high < 1 || Math.max(w, high) > MOST_CUT || this.cut?.getAttribute("src") === src) return;
		const cut = h("img", { class: "part", fetchpriority: "high", alt: "", src });
		if (this.cut && !this.cut.isConnected) this.cut.src = "";
		this.cut = cut;
		const made = await held(cut.decode());
		if (this.cut !== cut) return;
		this.cut = null;
		if (made) {
			this.uncut();
			this.cut = cut;
			Object.assign(cut.style, { left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${high}px` });
			this.photos.append(cut);
		} else if (again) this.timer = setTimeout(() => this.part(info, false), AGAIN_MS);
		else tell((this.trouble.textContent = `${info.name} cannot be shown sharp now. Move it to try again.`));
	}

	/** The place of the photo under a point of the pane. @param {{x: number, y: number}} point */
	under(point) {
		const { width = 1, height = 1 } = this.info ?? {};
		return { x: (point.x - this.left) / (width * this.scale), y: (point.y - this.top) / (height * this.scale) };
	}

	/** Zoom so that what is under the point stays there. @param {number} zoom @param {{x: number, y: number} | null} point @param {{x: number, y: number}} [place] */
	zoom(zoom, point, place) {
		const { width = 1, height = 1 } = this.info ?? {};
		if (zoom && point) {
			const at = this.under(point);
			const s = zoom / devicePixelRatio;
			this.put(
				zoom,
				at.x - (point.x - this.size.w / 2) / (width * s),
				at.y - (point.y - this.size.h / 2) / (height * s),
			);
		} else this.put(zoom, place?.x ?? this.place.x, place?.y ?? this.place.y);
	}

	/** One step of zoom. @param {number} step 1 or -1 @param {{x: number, y: number} | null} [point] */
	step(step, point = null) {
		const now = this.zoomed ? this.place.zoom : this.fit * devicePixelRatio;
		const next =
			step > 0
				? STEPS.find((each) => each > now * 1.01)
				: STEPS.findLast((each) => each < now * 0.99 && each > this.fit * devicePixelRatio);
		if (next !== undefined || step < 0) this.zoom(next ?? 0, point);
	}

	/** @param {number} zoom @param {number} x @param {number} y */
	put(zoom, x, y) {
		Object.assign(this.place, { zoom, x: clamp(x), y: clamp(y) });
		this.moved();
	}

	/** Move what is in view by parts of the pane. @param {number} dx @param {number} dy @param {boolean} [alone] only this pane */
	pan(dx, dy, alone = false) {
		const { width = 1, height = 1 } = this.info ?? {};
		const x = (dx * this.size.w) / (width * this.scale);
		const y = (dy * this.size.h) / (height * this.scale);
		if (alone) {
			this.shift = { x: this.shift.x + x, y: this.shift.y + y };
			this.draw();
		} else this.put(this.place.zoom, this.place.x + x, this.place.y + y);
	}

	moved() {
		this.draw();
		this.el.dispatchEvent(new CustomEvent("culld-place", { bubbles: true }));
	}

	/** @param {number} dx @param {number} dy */
	swipe(dx, dy) {
		if (Math.abs(dx) > Math.max(SWIPE_PX, 2 * Math.abs(dy)))
			this.el.dispatchEvent(new CustomEvent("culld-swipe", { bubbles: true, detail: -Math.sign(dx) }));
	}

	/** Zoom by click and wheel, pan by dragging; with Shift this pane alone. */
	hear() {
		/** @type {{x: number, y: number, far: boolean, startX: number, startY: number} | null} */
		let from = null;
		const at = (/** @type {MouseEvent} */ event) => {
			const { left, top } = this.el.getBoundingClientRect();
			return { x: event.clientX - left, y: event.clientY - top };
		};
		this.el.addEventListener("pointerdown", (event) => {
			if (event.button) return;
			from = { x: event.clientX, y: event.clientY, far: false, startX: event.clientX, startY: event.clientY };
			this.el.setPointerCapture(event.pointerId);
		});
		this.el.addEventListener("pointermove", (event) => {
			this.pointer = at(event);
			if (!from) return;
			const dx = from.x - event.clientX;
			const dy = from.y - event.clientY;
			if (!from.far && Math.hypot(dx, dy) < 5) return;
			Object.assign(from, { x: event.clientX, y: event.clientY, far: true });
			if (this.zoomed) this.pan(dx / this.size.w, dy / this.size.h, event.shiftKey);
		});
		this.el.addEventListener("pointerleave", () => (this.pointer = null));
		this.el.addEventListener("pointerup", (event) => {
			if (from && !from.far) this.zoom(this.zoomed ? 0 : 1, at(event));
			else if (from && !this.zoomed && event.pointerType === "touch")
				this.swipe(event.clientX - from.startX, event.clientY - from.startY);
			from = null;
		});
		this.el.addEventListener("pointercancel", () => (from = null));
		this.el.addEventListener(
			"wheel",
			(event) => {
				event.preventDefault();
				if (event.deltaY) this.step(event.deltaY < 0 ? 1 : -1, at(event));
			},
			{ passive: false },
		);
	}
}

/** Where the sheet begins, so that a place is in the middle and no border is seen while the photo is larger than the pane. @param {number} room @param {number} length @param {number} at @param {boolean} zoomed */
function middle(room, length, at, zoomed) {
	if (!zoomed || length <= room) return (room - length) / 2;
	return Math.min(0, Math.max(room - length, room / 2 - at * length));
}

/** @param {number} part */
function clamp(part) {
	return Math.min(1, Math.max(0, part));
}
