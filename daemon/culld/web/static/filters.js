/** @file Which photos are listed, in which order, and how many each value of the filter would list. */

import { answerOf, DEFECTS, month, VERDICTS } from "./words.js";
import { UNKNOWN } from "./library.js";

/** @typedef {import("./library.js").Library} Library */
/** @typedef {"defect" | "verdict" | "answer" | "folder" | "camera" | "month"} Facet */

/** @type {Facet[]} */
export const FACETS = ["answer", "defect", "verdict", "month", "folder", "camera"];
export const ORDERS = {
	newest: "newest first",
	oldest: "oldest first",
	border: "borderline first",
	burst: "burst by burst",
};

/** The values that are wanted of each facet (none: all), turned round or not. */
export class Filter {
	constructor() {
		/** @type {Record<string, Set<string>>} */
		this.wanted = Object.fromEntries(FACETS.map((facet) => [facet, new Set()]));
		/** @type {Set<string>} */
		this.inverted = new Set();
		/** @type {keyof typeof ORDERS} */
		this.order = "newest";
		this.kept = false;
	}

	get empty() {
		return FACETS.every((facet) => !this.wanted[facet].size);
	}

	clear() {
		FACETS.forEach((facet) => this.wanted[facet].clear());
		this.inverted.clear();
	}

	/** As the part of an address behind the question mark. */
	text() {
		const query = new URLSearchParams();
		for (const facet of FACETS) {
			const name = (this.inverted.has(facet) ? "not-" : "") + facet;
			for (const value of this.wanted[facet]) query.append(name, value);
		}
		if (this.order !== "newest") query.set("order", this.order);
		if (this.kept) query.set("kept", "1");
		return query.toString();
	}

	/** @param {string} text */
	read(text) {
		this.clear();
		const query = new URLSearchParams(text);
		for (const [name, value] of query) {
			const facet = name.replace(/^not-/, "");
			this.wanted[facet]?.add(value);
			if (facet !== name) this.inverted.add(facet);
		}
		const order = /** @type {keyof typeof ORDERS} */ (query.get("order"));
		this.order = order in ORDERS ? order : "newest";
		this.kept = query.get("kept") === "1";
	}
}

/**
 * The values of each facet as lists, and which of them each photo has, as bits or as positions.
 * @param {Library} library
 */
function facets(library) {
	const months = /** @type {string[]} */ ([]);
	const at = new Map();
	const monthOf = new Uint16Array(library.length);
	let last = -1;
	for (let row = 0; row < library.length; row++) {
		const days = Math.floor(library.taken[row] / 86400);
		if (days === last) {
			monthOf[row] = monthOf[row - 1];
			continue;
		}
		last = days;
		const name = month(library.taken[row]);
		if (!at.has(name)) at.set(name, months.push(name) - 1);
		monthOf[row] = at.get(name);
	}
	const answers = ["open", "right", "wrong", "not asked"];
	const answer = library.states.map((state) => answers.indexOf(answerOf(state)));
	/** @type {Record<Facet, {values: string[], of: ((row: number) => number) | null}>} */
	const found = {
		answer: { values: answers, of: (row) => answer[library.state[row]] },
		verdict: { values: VERDICTS, of: (row) => library.verdict[row] },
		month: { values: months, of: (row) => monthOf[row] },
		folder: { values: library.folders, of: (row) => library.folder[row] },
		camera: { values: library.cameras, of: (row) => library.camera[row] },
		defect: { values: [...DEFECTS, "none"], of: null },
	};
	return found;
}

/**
 * The rows that pass, in order, and for each facet the number of photos of each value among those that pass the other facets.
 * @param {Library} library @param {Filter} filter @param {Record<string, {tag: number, reject: number | null}> | null} thresholds
 */
export function listed(library, filter, thresholds) {
	const all = facets(library);
	const rows = new Uint32Array(library.length);
	let count = 0;
	/** @type {Record<string, Uint32Array>} */
	const counts = {};
	const tests = FACETS.map((facet) => {
		const { values } = all[facet];
		counts[facet] = new Uint32Array(values.length);
		const wanted = values.map((value) => filter.wanted[facet].has(value));
		const free = !wanted.includes(true);
		const turned = filter.inverted.has(facet);
		return {
			facet,
			values,
			of: all[facet].of,
			pass: wanted.map((yes) => free || yes !== turned),
			tally: counts[facet],
		};
	});
	const none = DEFECTS.length;
	for (let row = 0; row < library.length; row++) {
		let failed = -1;
		let fails = 0;
		for (let t = 0; t < tests.length && fails < 2; t++) {
			const { of, pass } = tests[t];
			const passes = of ? pass[of(row)] : defectPasses(library.tagged[row], pass, filter.inverted.has("defect"));
			if (!passes) {
				fails++;
				failed = t;
			}
		}
		if (fails > 1) continue;
		if (!fails) rows[count++] = row;
		for (let t = 0; t < tests.length; t++) {
			if (fails && t !== failed) continue;
			const { of, tally } = tests[t];
			if (of) tally[of(row)]++;
			else if (!library.tagged[row]) tally[none]++;
			else for (let bit = 0; bit < none; bit++) if (library.tagged[row] & (1 << bit)) tally[bit]++;
		}
	}
	const values = Object.fromEntries(tests.map(({ facet, values: list }) => [facet, list]));
	return { rows: ordered(library, rows.subarray(0, count), filter.order, thresholds), counts, values };
}

/** A photo with two defects passes if one of them is wanted; turned round, if none is unwanted. @param {number} bits @param {boolean[]} pass @param {boolean} turned */
function defectPasses(bits, pass, turned) {
	if (!bits) return pass[DEFECTS.length];
	let any = false;
	for (let bit = 0; bit < DEFECTS.length; bit++) {
		if (!(bits & (1 << bit))) continue;
		if (pass[bit]) any = true;
		else if (turned) return false;
	}
	return any;
}

/** @param {Library} library @param {Uint32Array} rows @param {string} order @param {Record<string, {tag: number, reject: number | null}> | null} thresholds */
function ordered(library, rows, order, thresholds) {
	if (order === "oldest") return rows.slice().reverse();
	if (order === "burst")
		return rows.slice().sort((a, b) => library.burst[b] - library.burst[a] || library.taken[a] - library.taken[b]);
	if (order !== "border") return rows;
	const far = new Float32Array(library.length);
	for (const row of rows) far[row] = distance(library, row, thresholds);
	return rows.slice().sort((a, b) => far[a] - far[b] || a - b);
}

/**
 * How far the verdict on a photo is from changing, as a difference of logits: the smallest distance of a score to a threshold.
 * @param {Library} library @param {number} row @param {Record<string, {tag: number, reject: number | null}> | null} thresholds
 */
export function distance(library, row, thresholds) {
	let least = 99;
	for (const defect of DEFECTS) {
		const score = library.score[defect][row];
		if (score === UNKNOWN) continue;
		const { tag, reject } = thresholds?.[defect] ?? { tag: 0.5, reject: null };
		for (const edge of [tag, reject])
			if (edge !== null) least = Math.min(least, Math.abs(logit(score / 254) - logit(edge)));
	}
	return least;
}

/** @param {number} p */
export function logit(p) {
	const cut = Math.min(Math.max(p, 0.001), 0.999);
	return Math.log(cut / (1 - cut));
}
