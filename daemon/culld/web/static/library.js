/** @file The photos of the index as columns, and what the page knows of those that it shows. */

import { get } from "./api.js";
import { DEFECTS } from "./words.js";

/** @typedef {import("./api.js").Info} Info */
/** @typedef {import("./words.js").Defect} Defect */

const MOST_IDS = 200;
const MOST_KNOWN = 3000;
export const UNKNOWN = 255;

/** @param {string} text base64 @returns {ArrayBuffer} */
function bytes(text) {
	const fast = /** @type {any} */ (Uint8Array).fromBase64;
	if (fast) return fast(text).buffer;
	const raw = atob(text);
	const made = new Uint8Array(raw.length);
	for (let i = 0; i < raw.length; i++) made[i] = raw.charCodeAt(i);
	return made.buffer;
}

/** Photos as typed arrays, one entry a photo: a row is a position in them. */
export class Library {
	/** @param {any} answer of `index` */
	constructor(answer) {
		const c = answer.columns;
		this.change = /** @type {number} */ (answer.change);
		this.id = new Uint32Array(bytes(c.id));
		this.taken = new Uint32Array(bytes(c.taken));
		/** @type {Record<Defect, Uint8Array>} */
		this.score = { blur: byte(c.blur), under: byte(c.under), over: byte(c.over), focus: byte(c.focus) };
		this.verdict = byte(c.verdict);
		this.state = byte(c.state);
		this.folder = new Uint16Array(bytes(c.folder));
		this.camera = new Uint16Array(bytes(c.camera));
		this.burst = new Uint32Array(bytes(c.burst));
		this.tagged = byte(c.tagged);
		this.states = /** @type {string[]} */ (answer.states);
		this.folders = /** @type {string[]} */ (answer.folders);
		this.cameras = /** @type {string[]} */ (answer.cameras);
		/** @type {Map<number, number> | null} */
		this.rows = null;
	}

	get length() {
		return this.id.length;
	}

	/** The row of a decision, -1 if it is not in the index. @param {number} id */
	row(id) {
		if (!this.rows) {
			this.rows = new Map();
			for (let row = 0; row < this.length; row++) this.rows.set(this.id[row], row);
		}
		return this.rows.get(id) ?? -1;
	}

	/** @param {number} row @param {number} id @param {string} state */
	changeRow(row, id, state) {
		this.row(id);
		this.rows?.delete(this.id[row]);
		this.rows?.set(id, row);
		this.id[row] = id;
		const at = this.states.indexOf(state);
		if (at >= 0) this.state[row] = at;
	}

	/** The defects of a photo at or above the tag threshold. @param {number} row */
	defects(row) {
		return DEFECTS.filter((_, bit) => this.tagged[row] & (1 << bit));
	}

	/** The defect with the highest score. @param {number} row @returns {Defect} */
	worst(row) {
		const known = DEFECTS.filter((defect) => this.score[defect][row] !== UNKNOWN);
		return known.sort((a, b) => this.score[b][row] - this.score[a][row])[0] ?? "blur";
	}
}

/** @param {string} text */
function byte(text) {
	return new Uint8Array(bytes(text));
}

/** Names, sizes and reasons of photos, asked for as they come into view. */
export class Known {
	constructor() {
		/** @type {Map<number, Info>} */
		this.infos = new Map();
		/** @type {Map<number, Promise<void>>} */
		this.asked = new Map();
	}

	/** @param {number} id */
	of(id) {
		return this.infos.get(id);
	}

	/** Ask for the photos that are not known yet. @param {number[]} ids */
	async want(ids) {
		const missing = ids.filter((id) => !this.infos.has(id) && !this.asked.has(id));
		for (let at = 0; at < missing.length; at += MOST_IDS) {
			const part = missing.slice(at, at + MOST_IDS);
			const answer = this.take(part).finally(() => part.forEach((id) => this.asked.delete(id)));
			part.forEach((id) => this.asked.set(id, answer));
		}
		await Promise.all(ids.map((id) => this.asked.get(id)));
	}

	/** @param {number[]} ids */
	async take(ids) {
		this.add((await get(`photos?ids=${ids.join(",")}`)).photos);
	}

	/** @param {Info[]} photos */
	add(photos) {
		for (const info of photos) this.infos.set(info.id, info);
		for (const id of this.infos.keys()) {
			if (this.infos.size <= MOST_KNOWN) break;
			this.infos.delete(id);
		}
	}
}
