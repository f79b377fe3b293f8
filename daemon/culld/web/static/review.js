/** @file What the page is about: the photos that are listed, the one in view, the selection, and the answers. */

import { index } from "./api.js";
import { Answers } from "./answers.js";
import { tell, warn } from "./dom.js";
import { Filter, listed } from "./filters.js";
import { Known, Library } from "./library.js";
import { chosen } from "./settings.js";
import { answerOf, counted, DONE, number, OUTCOMES, STATES } from "./words.js";

/** @typedef {import("./words.js").Kind} Kind */
/** @typedef {import("./api.js").Outcome} Outcome */

/** So many photos of a wish are asked for again at once; the index brings the others. */
const MOST_FRESH = 200;

/**
 * Events: `list` (other photos or another order), `place` (another photo in view), `states` (photos changed), `selection`,
 * `status` (of the daemon).
 */
export class Review extends EventTarget {
	constructor() {
		super();
		this.known = new Known();
		this.answers = new Answers();
		this.filter = new Filter();
		/** @type {Library} */
		this.library = new Library({ change: 0, states: [], folders: [], cameras: [], columns: EMPTY });
		this.etag = "";
		/** The rows that are listed. They stay when answers change, until the filter is set again. */
		/** @type {Uint32Array} */
		this.rows = new Uint32Array();
		/** @type {Record<string, Uint32Array>} */
		this.counts = {};
		/** @type {Record<string, string[]>} */
		this.values = {};
		this.at = 0;
		/** Decisions. @type {Set<number>} */
		this.selected = new Set();
		/** @type {any} */
		this.status = null;
		/** @type {Record<string, {tag: number, reject: number | null}> | null} */
		this.thresholds = null;
		this.waiting = 0;
		this.answers.addEventListener("pending", () => this.tells("states"));
		this.answers.addEventListener("ended", (event) => this.ended(/** @type {CustomEvent} */ (event).detail));
		this.answers.addEventListener("refused", (event) => warn(/** @type {CustomEvent} */ (event).detail));
	}

	/** @param {string} name */
	tells(name) {
		this.dispatchEvent(new Event(name));
	}

	/** A photo in view that the list does not have, such as a kept frame of a burst; 0 if there is none. */
	outside = 0;

	/** The decision in view, 0 if none is listed. */
	get id() {
		return this.outside || (this.rows.length ? this.library.id[this.rows[this.at]] : 0);
	}

	/** The row of the photo in view, -1 if the index does not have it. */
	get row() {
		return this.outside ? this.library.row(this.outside) : (this.rows[this.at] ?? -1);
	}

	/** @param {number} id */
	info(id) {
		return this.known.of(id);
	}

	/** The state that is shown: that of the index, or the one that a waiting answer leads to. @param {number} id */
	state(id) {
		const row = this.library.row(id);
		return (
			this.answers.pending.get(id) ??
			(row < 0 ? this.info(id)?.state : this.library.states[this.library.state[row]]) ??
			"kept"
		);
	}

	/**
	 * Read the index; keep the photo in view, and the list unless it is `fresh`.
	 * @param {boolean} [fresh] @param {number} [limit] the most photos, the newest
	 * @returns {Promise<boolean>} whether there are more photos than the limit
	 */
	async load(fresh = false, limit) {
		const answer = await index(this.filter.kept, fresh ? "" : this.etag, limit);
		if (!answer) return false;
		const before = this.library;
		this.etag = answer.etag;
		this.library = new Library(answer.body);
		this.known.add(answer.body.photos ?? []);
		const more = answer.body.total > this.library.length;
		if (more) this.etag = "";
		if (fresh || !before.length) {
			this.list();
			return more;
		}
		const known = [...this.rows]
			.map((row) => this.library.row(this.answers.now(before.id[row])))
			.filter((row) => row >= 0);
		this.waiting = Math.max(
			0,
			listed(this.library, this.filter, this.thresholds).rows.filter((row) => before.row(this.library.id[row]) < 0)
				.length,
		);
		if (known.length !== this.rows.length) this.at = Math.min(this.at, Math.max(0, known.length - 1));
		this.rows = Uint32Array.from(known);
		this.count();
		this.tells("states");
		return more;
	}

	/** Make the list by the filter; go to a photo if it is listed. @param {number} [id] */
	list(id = this.id) {
		const { rows } = this.count();
		this.rows = rows;
		this.waiting = 0;
		this.outside = 0;
		this.selected.clear();
		this.at = Math.max(0, rows.indexOf(this.library.row(id)));
		this.tells("list");
	}

	count() {
		const found = listed(this.library, this.filter, this.thresholds);
		this.counts = found.counts;
		this.values = found.values;
		return found;
	}

	/** @param {number} at a position in the list; outside of it nothing happens @returns {boolean} whether another photo came */
	go(at) {
		if (at < 0 || at >= this.rows.length || (at === this.at && !this.outside)) return false;
		this.at = at;
		this.outside = 0;
		this.tells("place");
		return true;
	}

	/** Bring a photo into view, also one that the list does not have. @param {number} id */
	show(id) {
		if (id === this.id) return;
		const row = this.library.row(id);
		const at = row < 0 ? -1 : this.rows.indexOf(row);
		if (at >= 0) return this.go(at);
		this.outside = id;
		this.tells("place");
	}

	/** Go to the first photo of the next or the previous series. @param {number} step 1 or -1 */
	series(step) {
		const of = (/** @type {number} */ at) => this.library.burst[this.rows[at]] || -1 - at;
		let at = this.at;
		const here = of(at);
		while (at >= 0 && at < this.rows.length && of(at) === here) at += step;
		const there = of(at);
		while (step < 0 && at > 0 && of(at - 1) === there) at--;
		return this.go(at);
	}

	/** The decisions that an answer is about: the selection, else the photo in view. */
	get targets() {
		return this.selected.size ? [...this.selected] : this.id ? [this.id] : [];
	}

	/** Those of the decisions that an answer applies to. @param {Kind} kind @param {number[]} [ids] */
	items(kind, ids = this.targets) {
		return ids
			.map((decision) => ({ decision, state: this.state(decision) }))
			.filter(({ state }) => OUTCOMES[kind]?.[state]);
	}

	/** Give an answer about photos, and tell what happened. @param {Kind} kind @param {number[]} [ids] @param {string} [group] */
	answer(kind, ids = this.targets, group) {
		const items = this.items(kind, ids);
		const left = ids.length - items.length;
		if (!items.length) {
			tell(ids.length ? `${this.title(ids)}: ${this.why(kind, ids)}` : "No photo is in view.");
			return false;
		}
		const words = OUTCOMES[kind][items[0].state];
		void this.answers.give(kind, items, { group });
		const late = this.status?.daemon === "stopped" ? ". It waits until the daemon runs" : "";
		const refused = left ? `. ${counted(left, "photo")} left out: the answer does not apply to them` : "";
		tell(
			`${this.title(items.map(({ decision }) => decision))} ${items.length === 1 ? STATES[words].word : DONE[/** @type {"confirm"} */ (kind)]}${late}${refused}. ${this.progress()}. Undo: Control+Z`,
		);
		if (ids !== this.targets && this.selected.size) this.clear();
		return true;
	}

	/** Why an answer does not apply. @param {Kind} kind @param {number[]} ids */
	why(kind, ids) {
		const state = STATES[this.state(ids[0])]?.word ?? "unknown";
		const wanted = Object.keys(OUTCOMES[kind])
			.map((name) => STATES[name].word)
			.join(", ");
		return `nothing to do, ${ids.length === 1 ? `it is ${state}` : "none of them applies"} (this needs: ${wanted})`;
	}

	/** @param {number[]} ids */
	title(ids) {
		return ids.length === 1 ? (this.info(ids[0])?.name ?? `Photo ${ids[0]}`) : counted(ids.length, "photo");
	}

	/** @returns {{open: number, right: number, wrong: number}} of the photos that pass the filter, whatever their answer */
	get answered() {
		const sums = { open: 0, right: 0, wrong: 0 };
		const tally = this.counts.answer ?? [];
		(this.values.answer ?? []).forEach((name, at) => name in sums && (sums[/** @type {"open"} */ (name)] = tally[at]));
		for (const [id, state] of this.answers.pending) {
			const row = this.library.row(id);
			const before = row < 0 ? "" : answerOf(this.library.states[this.library.state[row]]);
			const after = answerOf(state);
			if (before in sums && after in sums) {
				sums[/** @type {"open"} */ (before)]--;
				sums[/** @type {"open"} */ (after)]++;
			}
		}
		return sums;
	}

	progress() {
		const { open, right, wrong } = this.answered;
		return `${number(right + wrong)} of ${number(open + right + wrong)} answered`;
	}

	/** Take the outcomes of a wish over. @param {{wish: import("./answers.js").Wish, items: Outcome[]}} end */
	async ended({ wish, items }) {
		const seen = new Map(wish.items.map(({ decision, state }) => [decision, state]));
		const refused = items.filter(({ state }) => state === "changed" || state === "failed");
		if (refused.length) {
			const names = refused.slice(0, 3).map(({ decision, note }) => `${this.title([decision])}: ${note}`);
			warn(`Not done for ${counted(refused.length, "photo")}. ${names.join(" ")}`);
		}
		for (const { decision, now, state } of items) {
			const row = this.library.row(decision);
			const info = this.info(decision);
			const after = state === "done" ? OUTCOMES[wish.kind]?.[seen.get(decision) ?? ""] : undefined;
			if (row >= 0) this.library.changeRow(row, now ?? decision, after ?? "");
			if (info && after) this.known.infos.set(now ?? decision, { ...info, id: now ?? decision, state: after });
			if (!now || now === decision) continue;
			if (this.outside === decision) this.outside = now;
			if (this.selected.delete(decision)) this.selected.add(now);
		}
		const ids = items.map(({ decision, now }) => now ?? decision);
		if (ids.length) await this.known.take(ids.slice(0, MOST_FRESH)).catch(() => undefined);
		for (const id of ids) {
			const [row, info] = [this.library.row(id), this.info(id)];
			if (row >= 0 && info) this.library.changeRow(row, id, info.state);
		}
		this.count();
		this.tells("states");
	}

	/** @param {number[]} ids */
	select(ids) {
		ids.forEach((id) => this.selected.add(id));
		this.tells("selection");
	}

	/** @param {number} id */
	toggle(id) {
		if (!this.selected.delete(id)) this.selected.add(id);
		this.tells("selection");
	}

	clear() {
		if (!this.selected.size) return false;
		this.selected.clear();
		this.tells("selection");
		return true;
	}

	get advances() {
		return chosen.advance && !this.selected.size;
	}
}

const EMPTY = Object.fromEntries(
	["id", "taken", "blur", "under", "over", "focus", "verdict", "state", "folder", "camera", "burst", "tagged"].map(
		(name) => [name, ""],
	),
);
