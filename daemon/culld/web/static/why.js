/** @file Why a photo was judged so: scores with both thresholds, rule, facts, history, and what would have changed it. */

import { crop, get } from "./api.js";
import { fill, h, icon } from "./dom.js";
import { counted, DEFECTS, DEFECT_WORDS, LETTERS, probability, shutter, STATES } from "./words.js";

/** @typedef {import("./review.js").Review} Review */

const EYE_PX = 160;
const MOST_SENTENCES = 3;

/** The panel of reasons of the photo in view. */
export class Why {
	/** @param {HTMLElement} el @param {Review} review */
	constructor(el, review) {
		this.el = el;
		this.review = review;
		/** @type {Map<number, any>} */
		this.answers = new Map();
		this.timer = 0;
		this.stop = new AbortController();
		review.addEventListener("place", () => this.show());
		review.addEventListener("list", () => this.show());
		review.addEventListener("states", () => this.head());
	}

	get open() {
		const { classList } = document.body;
		return matchMedia("(max-width: 900px)").matches ? classList.contains("show-why") : !classList.contains("no-why");
	}

	/** Show the reasons of the photo in view, after a moment if they must be asked for. */
	show() {
		clearTimeout(this.timer);
		const { id } = this.review;
		if (!this.open) return;
		if (!id) return fill(this.el);
		if (this.answers.has(id)) return this.draw(id);
		this.timer = setTimeout(() => void this.ask(id), 60);
	}

	/** The answer of the server about a photo. @param {number} id @returns {Promise<any>} */
	async of(id) {
		if (!this.answers.has(id)) {
			this.stop.abort();
			this.stop = new AbortController();
			const answer = await get(`photos/${id}`, this.stop.signal);
			this.answers.set(id, answer);
			if (answer.thresholds && !answer.clip) this.review.thresholds = answer.thresholds;
			if (this.answers.size > 200) this.answers.delete(/** @type {number} */ (this.answers.keys().next().value));
		}
		return this.answers.get(id);
	}

	/** @param {number} id */
	async ask(id) {
		try {
			await this.of(id);
			if (id === this.review.id) this.draw(id);
		} catch (error) {
			if (/** @type {Error} */ (error).name !== "AbortError")
				fill(this.el, h("p", { class: "quiet" }, /** @type {Error} */ (error).message));
		}
	}

	head() {
		const { review } = this;
		const top = this.el.querySelector(".why-state");
		if (top && review.id) fill(top, ...badge(review.state(review.id)));
		const stored = review.library.states[review.library.state[review.row]];
		if (stored && this.answers.has(review.id) && this.answers.get(review.id).state !== stored) {
			this.answers.delete(review.id);
			this.show();
		}
	}

	/** @param {number} id */
	draw(id) {
		const why = this.answers.get(id);
		const state = this.review.state(id);
		fill(
			this.el,
			h("h2", { class: "name", title: why.path ?? why.name }, why.name),
			h("p", { class: "why-state" }, ...badge(state)),
			h("p", null, why.reason),
			bars(why),
			burst(why),
			eyes(why),
			repaired(why),
			list("What would have changed it", why.would_change?.slice(0, MOST_SENTENCES)),
			facts(why),
			past(why.history),
			h(
				"p",
				{ class: "quiet" },
				`Model ${why.model ?? "unknown"}. Policy ${why.policy}${why.policy === why.policy_in_force ? ", in force" : `; ${why.policy_in_force} is in force now`}.`,
			),
		);
	}
}

/** The repaired copy, or how far it is. @param {any} why */
function repaired({ copy, enhance }) {
	if (!copy && enhance !== "ask" && enhance !== "rejects") return;
	const is = copy?.state === "made";
	const act = () => dispatchEvent(new Event("culld-copy"));
	return [
		h("h3", null, "Repaired copy"),
		h("p", null, copy ? `${copy.state}${copy.reason && `: ${copy.reason}`}` : "not asked for"),
		copy?.state !== "waiting" && h("button", { class: "link", click: act }, is ? `Show ${copy.name}` : "Ask for a copy"),
	];
}

/** The shape and the word of a state. @param {string} state */
export function badge(state) {
	const { icon: shape, word } = STATES[state] ?? { icon: "dot", word: state };
	return [h("span", { class: "state", "data-state": state.replace(" ", "-") }, icon(shape), word)];
}

/** The letter of a defect on its colour. @param {keyof typeof LETTERS} defect */
export function letter(defect) {
	return h("span", { class: `letter ${defect}`, title: DEFECT_WORDS[defect] }, LETTERS[defect]);
}

/** @param {any} why */
function bars({ clip, scores, thresholds }) {
	return h(
		"table",
		{ class: "bars" },
		h("caption", null, clip ? `Shares of the time. ${clip.verdict}: ${clip.sentence}` : "Scores"),
		...DEFECTS.filter((defect) => Number.isFinite(scores?.[defect])).map((defect) => {
			const p = scores[defect];
			const { tag, reject } = thresholds?.[defect] ?? {};
			return h(
				"tr",
				null,
				h("th", { scope: "row" }, letter(defect), ` ${DEFECT_WORDS[defect]}`),
				h("td", null, bar(defect, p, tag, reject)),
				h("td", { class: "number" }, probability(p)),
			);
		}),
	);
}

/** @param {string} defect @param {number} p @param {number | null | undefined} tag @param {number | null | undefined} reject */
export function bar(defect, p, tag, reject) {
	const meter = h("div", {
		class: `bar ${defect}`,
		role: "img",
		"aria-label": `${probability(p)}; tagged from ${tag ?? "never"}, rejected from ${reject ?? "never"}`,
	});
	const filled = h("i", null);
	filled.style.width = `${100 * p}%`;
	meter.append(filled);
	for (const [name, at] of /** @type {const} */ ([
		["tag", tag],
		["reject", reject],
	])) {
		if (typeof at !== "number") continue;
		const tick = h("b", { class: name, title: `${name} ${at}` });
		tick.style.left = `${100 * at}%`;
		meter.append(tick);
	}
	return meter;
}

/** Faces as they are, a pixel of the photo on a pixel of the screen. @param {any} why */
function eyes(why) {
	const faces = /** @type {any[]} */ (why.subject?.faces ?? []);
	if (!faces.length || !why.width) return null;
	const strip = faces.slice(0, 6).map((face, at) => {
		const [x, y, w, height] = face.box;
		const side = Math.round(EYE_PX * devicePixelRatio);
		const middle = [(x + w / 2) * why.width, (y + height * 0.42) * why.height];
		const wide = Math.min(side, why.width);
		const high = Math.min(Math.round(side * 0.6), why.height);
		const left = Math.round(Math.min(Math.max(0, middle[0] - wide / 2), why.width - wide));
		const top = Math.round(Math.min(Math.max(0, middle[1] - high / 2), why.height - high));
		const text = `Eyes of face ${at + 1}, blur ${probability(face.blur ?? null)}`;
		const shown = h("img", {
			src: crop(why, [left, top, wide, high]),
			alt: text,
			title: text,
			width: Math.round(wide / devicePixelRatio),
			height: Math.round(high / devicePixelRatio),
			loading: "lazy",
		});
		return h("li", null, shown);
	});
	return [h("h3", null, `${counted(faces.length, "face")} at 100 %`), h("ul", { class: "eyes" }, ...strip)];
}

/** @param {string} title @param {string[] | undefined} sentences */
function list(title, sentences) {
	return sentences?.length
		? [h("h3", null, title), h("ul", null, ...sentences.map((text) => h("li", null, text)))]
		: null;
}

/** The best frame of the burst, and how this one differs from it. @param {any} why */
function burst({ id, burst_view: view }) {
	if (!view) return null;
	const own = view.frames.find((/** @type {any} */ frame) => frame.id === id);
	const texts = own ? [...own.worse, ...own.better, ...own.neutral].map(({ text }) => text) : [];
	return list(`Its ${view.kind}`, [view.sentence, ...texts, ...view.notes]);
}

/** @param {any} why */
function facts({ facts: known = {}, rule, width, height, folder, subject, stack }) {
	const exposure = [
		known.exposure_time && shutter(known.exposure_time),
		known.aperture && `f/${known.aperture}`,
		known.iso && `ISO ${known.iso}`,
		known.focal_length && `${known.focal_length} mm`,
	];
	/** @type {[string, any][]} */
	const rows = [
		["Rule", rule],
		["Camera", known.camera],
		["Exposure", exposure.filter(Boolean).join(", ")],
		["Taken", known.taken_at?.replace("T", " ")],
		["Size", width && `${width} × ${height}, ${(known.format ?? "").toUpperCase()}`],
		["Sharpness", subject?.sharpness?.toPrecision(3)],
		["Folder", folder],
		[
			"Same shot",
			[
				...(known.same_shot ?? []),
				...(known.belongs_to_it ?? []),
				...(stack ?? []).map((/** @type {any} */ other) => other.name ?? other),
			].join(", "),
		],
	];
	return [
		h("h3", null, "Facts"),
		h(
			"dl",
			null,
			...rows
				.filter(([, value]) => value)
				.flatMap(([name, value]) => [h("dt", null, name), h("dd", null, String(value))]),
		),
	];
}

/** @param {any[] | undefined} history */
function past(history) {
	if (!history?.length) return null;
	const lines = history.map(({ at, verdict, reason, event }) =>
		h(
			"li",
			null,
			h("time", { datetime: at, title: at }, when(at)),
			` ${[event ?? verdict, reason].filter(Boolean).join(": ")}`,
		),
	);
	return [h("h3", null, "History"), h("ol", { class: "past" }, ...lines)];
}

/** A time in the zone of the reader. @param {string} at ISO 8601 */
export function when(at) {
	const time = new Date(at);
	return isNaN(time.getTime()) ? (at ?? "") : time.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}
